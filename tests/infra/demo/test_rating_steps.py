"""Tour: fails at a step whose result is wrong, and names the step.

A fake platform answers everything correctly; each test breaks one thing.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

import httpx
import pytest

from infra.demo import __main__ as demo
from infra.demo import rating_steps
from infra.demo.api_client import ApiClient
from infra.demo.reporter import TourFailed
from infra.services.errors import DidNotStart

PLAYLIST = "/v1/playlists/rides"


def movie(identity: int, title: str = "") -> dict[str, Any]:
    return {
        "id": identity,
        "title": title or f"Movie {identity}",
        "year": 1902,
        "heat": 2.5,
        "score": 9,
        "reasons": [{"because": "genre", "genre": "Western", "share": 1.0}],
        "similarity": {"score": 0.8, "confidence": "many people"},
    }


def movies(*identities: int) -> list[dict[str, Any]]:
    return [movie(identity) for identity in identities]


@dataclass
class World:
    """The fake platform's contents, its answers and its faults."""

    rated: list[int] = field(default_factory=list)
    is_private: bool = False
    instead: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Path -> items to answer there, overriding the right ones."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Caller -> status to answer for the playlist, overriding the right one."""
    failing: str = ""
    """The management command that fails."""
    managed: list[tuple[str, ...]] = field(default_factory=list)

    def items(self, path: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        title = dict(rating_steps.SEARCHES).get(parameters.get("q", ""), "")
        right = {
            "/v1/search": [movie(9, title)],
            "/v1/me/recommendations": movies(51, 52) if self.rated else movies(41, 42),
            "/v1/discover": movies(*((1, 2, 3) if not self.rated else (4, 5, 6))),
            "/v1/me/ratings": movies(*self.rated),
            "/v1/movies/1/similar": movies(2, 3),
            "/v1/playlists": [],
        }
        return {**right, **self.instead}.get(path, movies(1, 2))

    def manage(self, *arguments: str) -> int:
        self.managed.append(arguments)
        return 1 if arguments[0] == self.failing else 0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def _platform(world: World, monkeypatch) -> None:
    """Tour on the fake platform, with visitors who call it."""

    class Guest:
        def __init__(self, *urls: str) -> None:
            self.who = "stranger"
            self.urls = urls

        @classmethod
        def beside(cls, other: Self) -> Self:
            return cls(*other.urls)

        def wait_for(self, other: Self) -> None:
            """Read models are level at once."""

        def register(self, *, username: str, **_: object) -> None:
            self.who = "owner" if username == "melies" else "other"

        def rate(self, identity: int, _score: int) -> None:
            world.rated.append(identity)

        def command(self, method: str, _path: str, **_: object) -> SimpleNamespace:
            world.is_private |= method == "PATCH"
            return SimpleNamespace(json=lambda: {"id": "rides"})

        def read(self, path: str, **parameters: Any) -> dict[str, Any]:
            return {**movie(1), "name": "Rides", "items": world.items(path, parameters)}

        def status(self, path: str) -> int:
            assert path == PLAYLIST
            sees = self.who == "owner" or not world.is_private
            return world.statuses.get(self.who, 200 if sees else 404)

    @contextmanager
    def platform(_narration: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(command_url="", query_url="", manage=world.manage)

    monkeypatch.setattr(rating_steps, "ApiClient", Guest)
    monkeypatch.setitem(demo.MODES, "embedded", platform)


@pytest.fixture
def take(monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """Run the tour; return its exit status and output."""

    def take(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["make demo", *arguments])
        monkeypatch.setenv("COLUMNS", "200")
        return demo.main(), capsys.readouterr().out

    return take


def test_tour_succeeds_when_every_step_does(take):
    status, output = take()
    titles = re.findall(r"^(\d+)\. ", output, re.MULTILINE)
    assert titles == [str(nth) for nth in range(1, len(titles) + 1)]
    assert (status, len(re.findall("done in", output))) == (0, len(titles))
    assert f"All {len(titles)} steps succeeded" in output


@pytest.mark.parametrize(
    ("wrong", "title", "words"),
    [
        ({"failing": "import_catalogue"}, "The catalogue", "import_catalogue demo ended with"),
        ({"failing": "lag"}, "The catalogue", "lag --wait 180 ended with 1"),
        ({"failing": "simulate_community"}, "No RATINGS=DIR given", "simulate_community"),
        ({"failing": "verify"}, "manage.py verify --all", "verify --all ended with 1"),
        ({"instead": {"/v1/trending": []}}, "Trending this day", "Nothing is trending"),
        ({"instead": {"/v1/search": movies(8)}}, "Search: the godfater", "The Godfather is not"),
        (
            {"instead": {"/v1/me/recommendations": []}},
            "Recommended before any rating",
            "Nothing is recommended",
        ),
        (
            {"instead": {"/v1/me/recommendations": movies(41, 42)}},
            "Recommended after five ratings",
            "The ratings changed nothing",
        ),
        (
            {"instead": {"/v1/me/recommendations": movies(1, 41)}},
            "Recommended after five ratings",
            "A movie that was rated is recommended",
        ),
        ({"instead": {"/v1/me/ratings": movies(1, 2)}}, "My ratings", "not the movies that were"),
        ({"instead": {"/v1/movies/1/similar": []}}, "More like", "Nothing is like it"),
        ({"instead": {"/v1/movies/1/similar": movies(1)}}, "More like", "it is like itself"),
        ({"statuses": {"other": 200}}, "They make it private", "answered 200 instead of 404"),
        ({"statuses": {"stranger": 200}}, "They make it private", "stranger's look at it was"),
        ({"statuses": {"owner": 404}}, "They make it private", "answered 404 instead of 200"),
        (
            {"instead": {"/v1/playlists": [{"id": "rides"}]}},
            "They make it private",
            "is in the list of public ones",
        ),
    ],
)
def test_tour_stops_at_a_failing_step_and_names_it(take, world, wrong, title, words):
    for name, value in wrong.items():
        setattr(world, name, value)
    status, output = take()
    number, last = re.findall(r"^(\d+)\. (.+)$", output, re.MULTILINE)[-1]
    assert last.startswith(title)
    [failure] = re.findall(rf"^Step {number} failed: (.+)", output, re.MULTILINE)
    assert (status, words in failure) == (1, True), failure
    assert "steps succeeded" not in output


def test_tour_fails_when_the_platform_does_not_start(take, monkeypatch):
    def platform(_narration: object) -> None:
        raise DidNotStart("query ended at once")

    monkeypatch.setitem(demo.MODES, "embedded", platform)
    status, output = take()
    assert (status, "failed: query ended at once" in output) == (1, True)


@pytest.mark.parametrize("file", ["ratings.csv", "ratings.dat", "u.data", "ratings.csv.gz"])
def test_tour_passes_any_movielens_release_to_the_import(take, world, tmp_path, file):
    (tmp_path / file).touch()
    status, _ = take("--ratings", str(tmp_path))
    assert status == 0
    assert ("import_movielens", str(tmp_path), "--until-now") in world.managed
    assert "simulate_community" not in {arguments[0] for arguments in world.managed}


def test_tour_shows_why_the_import_cannot_read_its_files(take, world, tmp_path):
    world.failing = "import_movielens"
    status, output = take("--ratings", str(tmp_path))
    assert (status, "import_movielens" in output.splitlines()[-1]) == (1, True)


def test_missing_ratings_directory_is_reported_before_anything_starts(
    take, world, tmp_path, capsys
):
    with pytest.raises(SystemExit, match="2"):
        take("--ratings", str(tmp_path / "elsewhere"))
    assert "elsewhere is no directory" in capsys.readouterr().err
    assert world.managed == []


def test_fake_tmdb_is_refused_in_embedded_mode(take, capsys):
    with pytest.raises(SystemExit, match="2"):
        take("--tmdb", "fake")
    assert "TMDB=fake needs MODE=native" in capsys.readouterr().err


def test_error_response_fails_the_step_with_its_request():
    visitor = ApiClient("http://commands", "http://queries")
    unavailable = httpx.MockTransport(lambda _: httpx.Response(503, text="movies is being built"))
    visitor._query = httpx.Client(base_url="http://queries", transport=unavailable)
    with pytest.raises(TourFailed, match=r"GET http://queries/v1/trending\?limit=5 answered 503"):
        visitor.read("/v1/trending", limit=5)
