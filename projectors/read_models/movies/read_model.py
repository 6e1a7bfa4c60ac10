"""Read model of movies: cards, genres, newest and most prominent movies.

State: a hash for each movie (``details`` as JSON, ``link:<source>``, and votes by score), so that a
card is one HGETALL, and one hash with every movie's features, so that many can be had in one HMGET.
Votes for an unknown movie are kept until it is added. A withdrawn movie keeps its data; it
is marked in its own hash and in one of all withdrawn movies. Derived: genre index.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

import msgspec
from redis import Redis

from events.recorded import Recorded
from infra.redis_pipeline import ReadCommands
from projectors.read_models.movies.card import DETAILS, LINK, WITHDRAWN, compose
from projectors.read_models.movies.projection import CardDetails, MovieChange, movie_changes
from projectors.storage import replies
from projectors.storage import withdrawn as withdrawn_marks
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write


class MovieFeatures(NamedTuple):
    """The fields by which lists of movies are sorted and filtered."""

    year: int | None
    genres: tuple[str, ...]
    prominence: int = 0


class GenreCount(msgspec.Struct, frozen=True):
    name: str
    count: int


_encode = msgspec.json.Encoder().encode
_facts = msgspec.json.Decoder(MovieFeatures)
_details = msgspec.json.Decoder(CardDetails)
_counts = msgspec.json.Decoder(list[GenreCount])
_movie_lists = msgspec.json.Decoder(dict[str, list[int]])


class Movies(ReadModel):
    """The catalogue as clients see it."""

    name: ClassVar[str] = "movies"
    version: ClassVar[int] = 3
    by_partition: ClassVar[bool] = False
    kept_after_erasure: ClassVar[str] = "their scores, in sums"
    builder_path: ClassVar[str] = "projectors.read_models.movies.builder.MoviesBuilder"

    def __init__(self, redis: Redis, generation: int) -> None:
        super().__init__(redis, generation)
        self._facts_key = self.all.state("facts")

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        """Sums of zero are written too: a batch's size must not show."""
        is_changed = False
        for movie, change in movie_changes([recorded.event for recorded in batch]).items():
            key = shard.state("movie", movie)
            for score, amount in change.votes.items():
                yield "HINCRBY", key, score, amount
            if change.links or change.details or change.is_listed is not None:
                is_changed = True
                yield from _catalogue_writes(shard, movie, change)
        if is_changed:
            yield "HINCRBY", shard.changes_key, "catalogue", 1

    # ------------------------------------------------------------------------------ cards

    def enqueue_card(self, pipe: ReadCommands, movie: int) -> None:
        """Enqueue the read of a card, for ``card.compose``."""
        pipe.hgetall(self.all.state("movie", movie))

    def cards(self, movies: Sequence[int]) -> dict[int, bytes]:
        """The cards of those that have one, in one round trip."""
        if not movies:
            return {}
        with self.redis.pipeline(transaction=False) as pipe:
            for movie in movies:
                self.enqueue_card(pipe, movie)
            composed = [compose(result) for result in pipe.execute()]
        return {
            movie: card for movie, card in zip(movies, composed, strict=True) if card is not None
        }

    def titles_of(self, movies: Sequence[int]) -> dict[int, str]:
        """Titles of these movies, without unknown and withdrawn ones."""
        with self.redis.pipeline(transaction=False) as pipe:
            for movie in movies:
                pipe.hmget(self.all.state("movie", movie), [DETAILS, WITHDRAWN])
            rows = pipe.execute()
        return {
            movie: _details.decode(details).title
            for movie, (details, mark) in zip(movies, rows, strict=True)
            if details is not None and mark is None
        }

    # ------------------------------------------------------------------------------ the catalogue

    def count(self) -> int:
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hlen(self._facts_key)
            pipe.hlen(withdrawn_marks.key(self.all))
            known, withdrawn = pipe.execute()
        return int(known) - int(withdrawn)

    def genres(self) -> list[GenreCount]:
        """Every genre and how many movies it has, by name; as of the last build."""
        encoded = replies.get(self.redis, self.all.derived("genres"))
        return [] if encoded is None else _counts.decode(encoded)

    def newest(self) -> dict[str, list[int]]:
        """Genre -> its newest movies, and under "" those of the whole catalogue."""
        encoded = replies.get(self.redis, self.all.derived("newest"))
        return {} if encoded is None else _movie_lists.decode(encoded)

    def prominent(self) -> dict[str, list[int]]:
        """Genre -> its most prominent movies, and under "" those of the whole catalogue."""
        encoded = replies.get(self.redis, self.all.derived("prominent"))
        return {} if encoded is None else _movie_lists.decode(encoded)

    def features_of(self, movies: Sequence[int]) -> dict[int, MovieFeatures]:
        """Features of these movies, without unknown and withdrawn ones."""
        packed = withdrawn_marks.read_listed(self.redis, self.all, self._facts_key, movies)
        return {movie: _facts.decode(facts) for movie, facts in packed.items()}

    def genres_of(self, movies: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Genres of these movies, without unknown and withdrawn ones."""
        return {movie: facts.genres for movie, facts in self.features_of(movies).items()}

    def all_features(self) -> Iterator[tuple[int, MovieFeatures]]:
        """Features of every movie; one that changes meanwhile may come twice."""
        for movie, facts in withdrawn_marks.scan_listed(self.redis, self.all, self._facts_key):
            yield movie, _facts.decode(facts)

    def withdrawn(self) -> frozenset[int]:
        """Ids of the withdrawn movies; the other reads leave them out."""
        return withdrawn_marks.movie_ids(self.redis, self.all)

    def catalogue_version(self) -> int:
        """A number that grows when the catalogue changed or a parked event was applied."""
        return sum(map(int, replies.hgetall(self.redis, self.all.changes_key).values()))


def _catalogue_writes(shard: Shard, movie: int, change: MovieChange) -> Iterator[Write]:
    key = shard.state("movie", movie)
    for source, external_id in change.links.items():
        yield "HSET", key, f"{LINK}{source}", external_id
    if change.details is not None:
        yield "HSET", key, DETAILS, _encode(change.details).decode()
        yield (
            "HSET",
            shard.state("facts"),
            movie,
            _encode_features(change.details, change.prominence),
        )
    if change.is_listed is not None:
        yield ("HDEL", key, WITHDRAWN) if change.is_listed else ("HSET", key, WITHDRAWN, 1)
        yield withdrawn_marks.write(shard, movie, is_listed=change.is_listed)
    if change.details is not None or change.is_listed is not None:
        yield "SADD", shard.derived("dirty", "movies"), movie


def _encode_features(details: CardDetails, prominence: int) -> str:
    genres = tuple(dict.fromkeys(details.genres))
    return _encode(MovieFeatures(details.year, genres, prominence)).decode()
