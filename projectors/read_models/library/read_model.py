"""Read model of the library: each user's movies, playlists and profile.

State: hashes of each user's movies (``ratings``: movie -> ``score:milliseconds``; ``favourites``
and ``hidden``: movie -> milliseconds), a hash ``person`` with name and preferences, a hash with the
ids of their playlists, and the playlists themselves (playlists.py). Names are stored decrypted: see
``decrypts``.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID

import msgspec

from events.catalogue import UserErased
from events.playlist_ids import partition_of_playlist
from events.recorded import Recorded, partition_of
from infra.config import config
from infra.redis_pipeline import ReadCommands
from projectors.read_models.library import playlists
from projectors.read_models.library.playlists import PlaylistSummary, read_playlist
from projectors.read_models.library.projection import (
    KINDS,
    FlaggedMovie,
    LibraryKind,
    UserPreferences,
    UserRating,
    entry_updates,
    from_milliseconds,
    profile_updates,
    unpack_rating,
)
from projectors.storage.read_model import ReadModel
from projectors.storage.shard import Shard, Write, hash_writes

RatingSort: TypeAlias = Literal["new", "score"]

_preferences = msgspec.json.Decoder(UserPreferences)


class Library(ReadModel):
    """Ratings, favourites, hidden movies, playlists and profile of each user."""

    name: ClassVar[str] = "library"
    version: ClassVar[int] = 2
    by_partition: ClassVar[bool] = True
    purges_erased_users: ClassVar[bool] = True
    decrypts: ClassVar[bool] = True

    def writes(self, shard: Shard, batch: Sequence[Recorded]) -> Iterable[Write]:
        for event in (recorded.event for recorded in batch):
            if isinstance(event, UserErased):  # what follows here happened after that
                user = str(event.user_id)
                yield ("DEL", *(shard.state(kind, user) for kind in (*KINDS, "person")))
        for (kind, user), values in entry_updates(batch).items():
            yield from hash_writes(shard.state(kind, user), values)
        for user, fields in profile_updates(recorded.event for recorded in batch).items():
            yield ("HSET", shard.state("person", user), *chain.from_iterable(fields.items()))
        for recorded in batch:
            yield from playlists.writes(shard, recorded)

    # ------------------------------------------------------------------------------ movies

    def enqueue_movies(self, pipe: ReadCommands, kind: LibraryKind, user: UUID | str) -> None:
        """Enqueue the read of a user's movies: see ``read_ratings``, ``read_flagged``."""
        pipe.hgetall(self._key(kind, user))

    # ------------------------------------------------------------------------------ people

    def enqueue_profile(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the five reads of a user's profile: see ``read_profile``."""
        pipe.hgetall(self._key("person", user))
        for kind in ("ratings", "favourites", "hidden", "playlists"):
            pipe.hlen(self._key(kind, user))

    def enqueue_username(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the read of a user's name; there is none of unknown and erased users."""
        pipe.hget(self._key("person", user), "username")

    def usernames(self, users: Iterable[str]) -> dict[str, str]:
        """User -> name; unknown and erased users are left out."""
        wanted = list(dict.fromkeys(users))
        with self.redis.pipeline(transaction=False) as pipe:
            for user in wanted:
                self.enqueue_username(pipe, user)
            names = pipe.execute()
        return {user: name.decode() for user, name in zip(wanted, names, strict=True) if name}

    # ------------------------------------------------------------------------------ playlists

    def enqueue_playlists(self, pipe: ReadCommands, user: UUID | str) -> None:
        """Enqueue the read of the ids of a user's playlists: see ``read_playlist_ids``."""
        pipe.hgetall(self._key("playlists", user))

    def enqueue_playlist(self, pipe: ReadCommands, id_: str) -> None:
        """Enqueue the two reads of a playlist and its order; raises InvalidPlaylistId."""
        shard = self._shard_of_playlist(id_)
        pipe.hgetall(playlists.summary_key(shard, id_))
        pipe.hgetall(playlists.order_key(shard, id_))

    def playlists(self, ids: Sequence[str]) -> list[PlaylistSummary]:
        """The playlists with these ids that exist; raises InvalidPlaylistId."""
        with self.redis.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.hgetall(playlists.summary_key(self._shard_of_playlist(id_), id_))
            hashes = pipe.execute()
        decoded = (read_playlist(id_, fields) for id_, fields in zip(ids, hashes, strict=True))
        return [playlist for playlist in decoded if playlist is not None]

    def _shard_of_playlist(self, id_: str) -> Shard:
        return self.shard(partition_of_playlist(id_))

    def _key(self, kind: str, user: UUID | str) -> str:
        shard = self.shard(partition_of(str(user), config().partitions))
        return shard.state(kind, str(user))


def read_ratings(result: Mapping[bytes, bytes], sort: RatingSort = "new") -> list[UserRating]:
    """Decode ratings, the newest first, or the highest score first and then the newest."""
    ratings = [unpack_rating(int(movie), rating) for movie, rating in result.items()]
    match sort:
        case "new":
            return sorted(ratings, key=lambda r: (r.at, r.movie), reverse=True)
        case "score":
            return sorted(ratings, key=lambda r: (r.score, r.at, r.movie), reverse=True)


def read_flagged(result: Mapping[bytes, bytes]) -> list[FlaggedMovie]:
    """Decode favourites or hidden movies from the reply, the newest first."""
    movies = [FlaggedMovie(int(movie), from_milliseconds(at)) for movie, at in result.items()]
    return sorted(movies, key=lambda flagged: (flagged.at, flagged.movie), reverse=True)


def read_playlist_ids(result: Mapping[bytes, bytes]) -> list[tuple[int, str]]:
    """Decode (creation time in milliseconds, playlist id) pairs, the newest first."""
    return sorted(((int(at), id_.decode()) for id_, at in result.items()), reverse=True)


class UserProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A user's profile as they see it, with counts of their movies and playlists."""

    username: str | None
    preferences: UserPreferences
    counts: dict[str, int]


def read_profile(results: Sequence[object]) -> UserProfile:
    fields, *counts = results
    known: Mapping[bytes, bytes] = fields if isinstance(fields, Mapping) else {}
    username, preferences = known.get(b"username"), known.get(b"preferences")
    names = ("ratings", "favourites", "hidden", "playlists")
    return UserProfile(
        username=username.decode() if username else None,
        preferences=_preferences.decode(preferences) if preferences else UserPreferences(),
        counts={name: int(str(count)) for name, count in zip(names, counts, strict=True)},
    )
