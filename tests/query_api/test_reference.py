"""Reference model: answers equal those of an independent calculation."""

from datetime import UTC, datetime, timedelta
from itertools import count
from time import time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from events.recorded import Recorded
from infra import clients
from infra.security import access_tokens
from projectors.generations.live import Live
from projectors.generations.pointers import Pointers
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.sessions.read_model import SessionRevocations
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from query_api.http import request
from tests.fixtures import model_access
from tests.reference import library, movies, reading, trending
from tests.reference.history import MOVIES, PEOPLE, SUPPRESSED, DatedLog, all_events, histories

# Whole seconds: answers have times in milliseconds.
TEN_DAYS_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)

_generations = count(1)


@pytest.fixture
def answers(redis, keys, client):
    """Answers of the API about a log that all models have applied."""
    yield lambda log: Answers(redis, client, log)
    clients.redis().connection_pool.disconnect()


class Answers:
    """The API in front of models that have applied a log."""

    def __init__(self, redis, client, log: DatedLog):
        self._client = client
        generation = next(_generations)
        for key in redis.scan_iter("throttle:*"):
            redis.delete(key)  # this test exceeds the rate limits
        catalogue, hot = Movies(redis, generation), Trending(redis, generation)
        models = (catalogue, hot, Library(redis, generation), SessionRevocations(redis, generation))
        for model in models:
            for partition, head in enumerate(log.heads()):
                if head:
                    model_access.apply(model, log.page(partition, after=0, limit=head))
        Pointers(redis).switch({model.name: generation for model in models})
        Live(redis).mark_level([model.name for model in models], time())
        request.live.cache_clear()
        self.now = datetime.now(UTC)
        TrendingBuilder(hot, catalogue).build(self.now)

    def get(self, path: str, user: UUID | None = None, *, status: int = 200) -> Any:
        headers = {}
        if user is not None:
            headers["Authorization"] = f"Bearer {access_tokens.mint_access(user, UUID(int=1), 0)}"
        answer = self._client.get(path, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json()

    def items(self, path: str, user: UUID | None = None) -> list[dict[str, Any]]:
        """All items of a list, two a page."""
        items: list[dict[str, Any]] = []
        more = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=2{more}", user)
            items += page["items"]
            if page["next"] is None:
                return items
            more = f"&cursor={page['next']}"


@given(log=histories(since=TEN_DAYS_AGO, minutes=10 * 24 * 60))
@settings(max_examples=15, deadline=None, suppress_health_check=SUPPRESSED)
def test_answers_equal_the_reference_model(answers, log: DatedLog):
    history, api = all_events(log), answers(log)
    facts = movies.facts(history)
    check_cards(api, history, facts)
    check_boards(api, history, facts)
    expected = library.libraries(history)
    erased = library.erased(history)
    for person in erased:
        api.get("/v1/me/ratings", person, status=401)
    for person in {*PEOPLE} - erased:
        check_library(api, person, expected.get(person, library.Library()), facts)


def check_cards(api: Answers, history: list[Recorded], facts: dict[int, movies.Facts]) -> None:
    community = movies.community(history)
    for movie in MOVIES:
        if movie not in facts:
            api.get(f"/v1/movies/{movie}", status=404)
            continue
        card = api.get(f"/v1/movies/{movie}")
        assert card["id"] == movie
        assert reading.of_card(card) == (facts[movie], community.get(movie, movies.NOBODY))


def check_boards(api: Answers, history: list[Recorded], facts: dict[int, movies.Facts]) -> None:
    degrees = trending.degrees(history)
    for window in ("day", "week"):
        board = trending.board(degrees, window, now=api.now)
        items = api.items(f"/v1/trending?window={window}")
        assert [item["heat"] for item in items] == sorted(
            (item["heat"] for item in items), reverse=True
        )
        assert {item["id"]: item["heat"] for item in items} == {
            movie: pytest.approx(heat, abs=1e-3) for movie, heat in board.items() if movie in facts
        }


def check_library(
    api: Answers, person: UUID, expected: library.Library, facts: dict[int, movies.Facts]
) -> None:
    ratings = api.items("/v1/me/ratings", person)
    assert {it["id"]: (it["score"], parse_time(it["rated_at"])) for it in ratings} == {
        movie: (opinion.score, opinion.at)
        for movie, opinion in expected.ratings.items()
        if movie in facts
    }
    for path, since, expected_ids in (
        ("/v1/me/favourites", "favourited_at", expected.favourites),
        ("/v1/me/hidden", "hidden_at", expected.hidden),
    ):
        assert {it["id"]: parse_time(it[since]) for it in api.items(path, person)} == {
            movie: at for movie, at in expected_ids.items() if movie in facts
        }
    playlists = api.items("/v1/me/playlists", person)
    assert {it["id"] for it in playlists} == expected.playlists.keys()
    for playlist_id, playlist in expected.playlists.items():
        shown = api.get(f"/v1/playlists/{playlist_id}", person)
        assert (shown["name"], shown["description"]) == (playlist.name, playlist.description)
        assert (shown["visibility"], shown["version"]) == (playlist.visibility, playlist.version)
        assert [it["id"] for it in api.items(f"/v1/playlists/{playlist_id}", person)] == [
            movie for movie in playlist.movies if movie in facts
        ]
        api.get(f"/v1/playlists/{playlist_id}", status=_for_all(playlist.visibility))


def _for_all(visibility: str) -> int:
    return 200 if visibility == "public" else 404


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)
