"""Fixtures of the query API: read models that took in a log, clients and headers."""

from datetime import UTC, datetime, timedelta
from itertools import count
from time import time
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from redis import Redis
from redis.connection import AbstractConnection

from events.catalogue import MovieAdded, MovieRated
from events.recorded import Origin, Recorded, partition_of
from infra import clients
from infra.config import config
from infra.security import access_tokens
from projectors.generations.live import LEVEL_KEY, Live
from projectors.generations.pointers import Pointers
from projectors.parking.store import FailureReason, park_writes
from projectors.read_models.movies.builder import MoviesBuilder
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.builder import RecommendationsBuilder
from projectors.read_models.recommendations.read_model import Recommendations
from projectors.read_models.search.builder import SearchBuilder
from projectors.read_models.search.read_model import Search
from projectors.read_models.similarity.builder import SimilarityBuilder
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.suggestions.builder import SuggestionsBuilder
from projectors.read_models.suggestions.read_model import Suggestions
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from projectors.registry import MODELS, make_builders
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import pack
from query_api.http import request
from tests.fixtures import model_access
from tests.fixtures.position_header import encode_positions as positions_of

GENERATION = 3
ANN, BOB = UUID(int=0xA), UUID(int=0xB)
ALIEN, AMELIE, HEAT, UNKNOWN = 1, 2, 3, 99
MOVIES = {
    ALIEN: ("Alien", 1979, ("Horror", "Science Fiction"), ("Sigourney Weaver", "Tom Skerritt")),
    AMELIE: ("Amélie", 2001, ("Comedy", "Romance"), ("Audrey Tautou",)),
    HEAT: ("Heat", 1995, ("Crime", "Drama"), ("Al Pacino", "Robert De Niro")),
}


class World:
    """A log applied by all models, as the workers do."""

    def __init__(self, redis):
        self.redis = redis
        self.live = Live(redis)
        kinds = MODELS
        self.models: dict[type[ReadModel], Any] = {kind: kind(redis, GENERATION) for kind in kinds}
        Pointers(redis).switch({kind.name: GENERATION for kind in kinds})
        self.live.mark_level([kind.name for kind in kinds], time() - 1.5)
        self.log: list[Recorded] = []
        self._offsets: dict[int, int] = {}
        self._passed = timedelta(0)
        self._origin = Origin(correlation_id=UUID(int=1))
        movies, trending = self.models[Movies], self.models[Trending]
        similarity = self.models[Similarity]
        self.builders = (
            MoviesBuilder(movies),
            TrendingBuilder(trending, movies),
            SimilarityBuilder(similarity),
            SuggestionsBuilder(self.models[Suggestions]),
            RecommendationsBuilder(self.models[Recommendations], trending, movies, similarity),
        )

    def apply_event(self, event, owner, *, ago=timedelta(0), to=None):
        """Record an event; the given models (all by default) apply it."""
        recorded = self.record(event, owner, ago=ago)
        for kind in self.models if to is None else to:
            model_access.apply(self.models[kind], [recorded])
        return recorded.position

    def record(self, event, owner, *, ago=timedelta(0)):
        """Record the next event of its owner's partition."""
        partition = partition_of(str(owner), config().partitions)
        offset = self._offsets[partition] = self._offsets.get(partition, 0) + 1
        at = datetime.now(UTC) - ago
        recorded = Recorded(
            partition=partition,
            offset=offset,
            stream="s",
            version=1,
            occurred_at=at,
            recorded_at=at,
            origin=self._origin,
            event=event,
        )
        self.log.append(recorded)
        return recorded

    def add_movies(self):
        """Record the catalogue's movies."""
        for movie, (title, year, genres, cast) in MOVIES.items():
            added = MovieAdded(movie_id=movie, title=title, year=year, genres=genres, cast=cast)
            self.apply_event(added, movie)

    def rate(self, user, movie, score, **more):
        """Record a user's first rating of a movie."""
        return self.apply_event(MovieRated(user_id=user, movie_id=movie, score=score), user, **more)

    def park(self, kind, recorded):
        """Park an event, as a worker does when the model cannot apply it."""
        shard, at = self.models[kind].shard(recorded.partition), recorded.offset
        new = frozenset({recorded.stream})
        writes, _ = park_writes(
            shard, [(recorded, FailureReason("a bad one"))], new, recorded.recorded_at
        )
        shard.apply(recorded.partition, first=at, last=at, packed=[pack(writes)])

    def keep(self, label, *kinds, number=GENERATION - 1):
        """Keep some models as they are now, as a rebuild of the past does."""
        models = {kind.name: kind(self.redis, number) for kind in kinds}
        for model in models.values():
            for recorded in self.log:
                model_access.apply(model, [recorded])
        now = datetime.now(UTC) + self._passed
        for builder in make_builders(models, self.live):
            builder.build(now)
            builder.build(now)
        for name in models:
            Pointers(self.redis).remember(label, name, number)

    def build(self):
        """Let all builders catch up and notice that time passes: some look only every second."""
        self._passed += timedelta(seconds=2)
        for builder in self.builders:
            builder.build(datetime.now(UTC) + self._passed)


@pytest.fixture
def redis(redis_url):
    """Redis with the workers' rights, which include writing."""
    with Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture
def world(redis, keys):
    """Three movies without ratings; the query API may only read this Redis."""
    request.live.cache_clear()
    world = World(redis)
    world.add_movies()
    world.build()
    yield world
    clients.redis().connection_pool.disconnect()


@pytest.fixture
def client():
    """Client that returns fault responses instead of raising exceptions."""
    return Client(raise_request_exception=False)


@pytest.fixture
def in_files(tmp_path, monkeypatch):
    """Search index in files, so that tests of its callers need no server."""
    monkeypatch.setenv("MARQUEE_SEARCH", "tantivy")
    monkeypatch.setenv("MARQUEE_SEARCH_DIR", str(tmp_path))
    config.cache_clear()
    yield
    monkeypatch.undo()
    config.cache_clear()


@pytest.fixture
def flush(in_files, world):
    """Bring the index up to date."""
    builder = SearchBuilder(world.models[Search])

    def flush():
        builder.build(datetime.now(UTC))

    flush()
    return flush


@pytest.fixture
def round_trips(monkeypatch):
    """Commands sent to Redis, one list item a round trip.

    Without reading the pointers, which happens every quarter of a second.
    """
    sent: list[bytes] = []
    send = AbstractConnection.send_packed_command

    def recording(connection, command, check_health=True):
        packed = command if isinstance(command, bytes) else b"".join(command)
        if LEVEL_KEY.encode() not in packed:
            sent.append(packed)
        return send(connection, command, check_health)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", recording)
    return sent


_families = count(1)


@pytest.fixture
def log_in(world):
    """Headers of a logged-in user."""

    def log_in(user, *, family=None, epoch=0, is_staff=False):
        family = family or UUID(int=next(_families))
        token = access_tokens.mint_access(user, family, epoch, is_staff=is_staff)
        return {"Authorization": f"Bearer {token}"}

    return log_in


def waiting(*positions, seconds=0):
    """Headers of a user who waits for positions."""
    return {"Log-Position": positions_of(positions), "Prefer": f"wait={seconds}"}


def walk(client, path, parameters, **more):
    """Ids on all pages of a list, in order."""
    ids: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, {**parameters, **cursor}, **more).json()
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return ids
        cursor = {"cursor": page["next"]}
