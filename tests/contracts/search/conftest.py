"""Fixtures of the contract that every search engine must pass."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from elasticsearch import Elasticsearch
from redis import Redis

from events.catalogue import AnyEvent, MovieAdded, MovieRated
from events.recorded import Origin, Recorded
from projectors.read_models.search.builder import flush
from projectors.read_models.search.engine import SearchEngine
from projectors.read_models.search.on_elasticsearch.index import ElasticsearchIndex
from projectors.read_models.search.on_tantivy.index import TantivyIndex
from projectors.read_models.search.query import SearchQuery
from projectors.read_models.search.read_model import Search
from tests.fixtures import model_access

AT = datetime(2026, 1, 1, tzinfo=UTC)
CAST = {
    "Alien": ("Sigourney Weaver", "John Hurt"),
    "Aliens": ("Sigourney Weaver", "Michael Biehn"),
    "Amélie": ("Audrey Tautou",),
}


class Library:
    """Search model that applies events without a log, in partition 0."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self._offset = 0

    def take(self, *events: AnyEvent) -> None:
        model_access.apply(self.search, [self._recorded(event) for event in events])

    def add(self, *titles: str, year: int = 2000, genres: Sequence[str] = ()) -> None:
        """Add movies, numbered in order."""
        known_count = len(self.search.known_movies())
        self.take(
            *(
                MovieAdded(
                    movie_id=number,
                    title=title,
                    year=year,
                    genres=tuple(genres),
                    cast=CAST.get(title, ()),
                )
                for number, title in enumerate(titles, start=known_count + 1)
            )
        )

    def rate(self, movie: int, *scores: int) -> None:
        self.take(
            *(
                MovieRated(user_id=UUID(int=user), movie_id=movie, score=score)
                for user, score in enumerate(scores)
            )
        )

    def found(self, q: str = "", **query) -> list[str]:
        """The highlighted titles, after a flush."""
        flush(self.search)
        return [hit.highlight for hit in self.search.search(SearchQuery(q=q, **query)).items]

    def _recorded(self, event: AnyEvent) -> Recorded:
        self._offset += 1
        return Recorded(
            partition=0,
            offset=self._offset,
            stream="any",
            version=self._offset,
            occurred_at=AT,
            recorded_at=AT,
            origin=Origin(correlation_id=UUID(int=0)),
            event=event,
        )


@pytest.fixture
def redis(redis_url) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(params=["elasticsearch", "tantivy"])
def make_index(request, tmp_path, namespace) -> Iterator[Callable[[int], SearchEngine]]:
    """The index of a generation, as one process sees it."""
    if request.param == "tantivy":
        yield lambda generation: TantivyIndex(tmp_path / f"{namespace}-search-{generation}")
        return
    with Elasticsearch(request.getfixturevalue("elasticsearch_url"), request_timeout=60) as client:
        yield lambda generation: ElasticsearchIndex(client, f"{namespace}-search-{generation}")


@pytest.fixture
def make_search(redis, make_index) -> Callable[[int], Search]:
    return lambda generation: Search(redis, generation, index=make_index(generation))


@pytest.fixture
def library(make_search) -> Library:
    return Library(make_search(1))
