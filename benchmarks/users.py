"""Users that a benchmark registers and logs in."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import httpx

from infra.platform.topology import Platform

PASSWORD = "the-arrival-of-a-train-1896"  # noqa: S105 - of an account that lives for a minute


@dataclass(frozen=True)
class BenchmarkUser:
    """An account and its token."""

    id: str
    token: str

    @property
    def headers(self) -> Mapping[str, str]:
        """The Authorization header of the user."""
        return {"Authorization": f"Bearer {self.token}"}


def register(platform: Platform) -> BenchmarkUser:
    """Register a user and log them in."""
    name = f"bench-{uuid4().hex[:12]}"
    with httpx.Client(base_url=platform.command_url, timeout=30) as client:
        account = client.post(
            "/v1/accounts",
            json={"username": name, "email": f"{name}@example.org", "password": PASSWORD},
        ).raise_for_status()
        tokens = client.post("/v1/tokens", json={"login": name, "password": PASSWORD})
        return BenchmarkUser(account.json()["id"], tokens.raise_for_status().json()["access"])
