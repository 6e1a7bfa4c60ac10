"""HTTP client of both APIs that reads its own writes."""

from typing import Any

import httpx

from infra.demo.reporter import TourFailed

_WAIT = {"Prefer": "wait=5"}


class ApiClient:
    """A client with an account, who always reads what they wrote."""

    def __init__(self, command_url: str, query_url: str) -> None:
        self.urls = command_url, query_url
        self._command = httpx.Client(base_url=command_url, timeout=30)
        self._query = httpx.Client(base_url=query_url, timeout=30)
        self._headers: dict[str, str] = {}
        self.positions: dict[str, str] = {}

    @classmethod
    def beside(cls, other: "ApiClient") -> "ApiClient":
        """Somebody else, on the same platform, who has waited for all that the other did."""
        visitor = cls(*other.urls)
        visitor.wait_for(other)
        return visitor

    def wait_for(self, other: "ApiClient") -> None:
        """Read from now on what is known once all that another one changed has been taken in."""
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
        """Ask for a change; remembers the position it is at."""
        answer = _checked(self._command.request(method, path, headers=self._headers, **options))
        for token in filter(None, answer.headers.get("Log-Position", "").split(",")):
            self.positions[path] = token.strip()
        return answer

    def read(self, path: str, **parameters: Any) -> Any:
        """Read what is known once all that this visitor changed has been taken in."""
        return _checked(self._ask(path, **parameters)).json()

    def status(self, path: str) -> int:
        """With which status that is answered."""
        return self._ask(path).status_code

    def _ask(self, path: str, **parameters: Any) -> httpx.Response:
        headers = dict(self._headers)
        if self.positions:
            headers |= _WAIT | {"Log-Position": ",".join(self.positions.values())}
        return self._query.get(path, params=parameters, headers=headers)


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise TourFailed(
            f"{answer.request.method} {answer.request.url} answered {answer.status_code}:"
            f" {answer.text[:500]}"
        )
    return answer
