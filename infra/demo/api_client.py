"""HTTP client of both APIs that reads its own writes."""

from typing import Any

import httpx

from infra.demo.reporter import TourFailed

_WAIT = {"Prefer": "wait=5"}


class ApiClient:
    """A client that reads its own writes; has an account once it registered."""

    def __init__(self, command_url: str, query_url: str) -> None:
        self.urls = command_url, query_url
        self._command = httpx.Client(base_url=command_url, timeout=30)
        self._query = httpx.Client(base_url=query_url, timeout=30)
        self._headers: dict[str, str] = {}
        self.positions: dict[str, str] = {}

    @classmethod
    def beside(cls, other: "ApiClient") -> "ApiClient":
        """Make another client of the same platform that waits for the other's writes."""
        client = cls(*other.urls)
        client.wait_for(other)
        return client

    def wait_for(self, other: "ApiClient") -> None:
        """Let later reads wait for the other client's writes as well."""
        self.positions |= other.positions

    def register(self, *, username: str, password: str, genres: list[str]) -> None:
        """Open an account and log in."""
        self.command(
            "POST",
            "/v1/accounts",
            json={
                "username": username,
                "email": f"{username}@example.org",
                "password": password,
                "genres": genres,
            },
        )
        tokens = self.command(
            "POST", "/v1/tokens", json={"login": username, "password": password}
        ).json()
        self._headers["Authorization"] = f"Bearer {tokens['access']}"

    def rate(self, movie: int, score: int) -> None:
        """Give a movie a score."""
        self.command("PUT", f"/v1/movies/{movie}/rating", json={"score": score})

    def command(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a command; remembers its Log-Position."""
        response = _checked(self._command.request(method, path, headers=self._headers, **options))
        for token in filter(None, response.headers.get("Log-Position", "").split(",")):
            self.positions[path] = token.strip()
        return response

    def read(self, path: str, **parameters: Any) -> Any:
        """Read a path, waiting for all remembered positions."""
        return _checked(self._get(path, **parameters)).json()

    def status(self, path: str) -> int:
        """Read a path; only the status of the response."""
        return self._get(path).status_code

    def _get(self, path: str, **parameters: Any) -> httpx.Response:
        headers = dict(self._headers)
        if self.positions:
            headers |= _WAIT | {"Log-Position": ",".join(self.positions.values())}
        return self._query.get(path, params=parameters, headers=headers)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise TourFailed(
            f"{response.request.method} {response.request.url} answered {response.status_code}:"
            f" {response.text[:500]}"
        )
    return response
