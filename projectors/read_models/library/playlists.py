"""Playlists of a library: writes of each playlist event, and reads.

A hash with a playlist's fields, and one with its movies: movie -> rank. An event carries the
movie's new rank, so each is a plain write: nothing is read, and no other movie moves.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from events.catalogue import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistDescribed,
    PlaylistEvent,
    PlaylistMovieAdded,
    PlaylistMovieMoved,
    PlaylistMovieRemoved,
    PlaylistRenamed,
    PlaylistShown,
    UserErased,
    Visibility,
)
from events.recorded import Recorded
from projectors.read_models.library.projection import from_milliseconds, to_milliseconds
from projectors.storage.shard import Shard, Write


class PlaylistSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A playlist without its movies."""

    id: str
    owner: str
    name: str
    description: str | None
    visibility: Visibility
    version: int
    size: int
    created_at: datetime
    updated_at: datetime


def writes(shard: Shard, recorded: Recorded) -> Iterator[Write]:
    """Yield the writes of a playlist event; none for any other event."""
    event = recorded.event
    if isinstance(event, UserErased):
        yield "DEL", shard.state("playlists", str(event.user_id))
        for id_ in event.playlists:
            yield "DEL", summary_key(shard, id_), order_key(shard, id_)
    if not isinstance(event, PlaylistEvent):
        return
    about, order = summary_key(shard, event.playlist_id), order_key(shard, event.playlist_id)
    own, at = shard.state("playlists", str(event.user_id)), to_milliseconds(recorded.occurred_at)
    if isinstance(event, PlaylistDeleted):
        yield "DEL", about, order
        yield "HDEL", own, event.playlist_id
        return
    if isinstance(event, PlaylistCreated):
        yield "HSET", own, event.playlist_id, at
        yield "HSET", about, "owner", str(event.user_id), "created", at
    yield "HSET", about, "version", recorded.version, "updated", at
    yield from _field_writes(event, about, order)


def read_playlist(id_: str, fields: Mapping[bytes, bytes]) -> PlaylistSummary | None:
    """Decode a playlist's hash; None if there is no such playlist."""
    if b"owner" not in fields:
        return None
    description = fields.get(b"description")
    return PlaylistSummary(
        id=id_,
        owner=fields[b"owner"].decode(),
        name=fields[b"name"].decode(),
        description=None if description is None else description.decode(),
        visibility="public" if fields[b"visibility"] == b"public" else "private",
        version=int(fields[b"version"]),
        size=int(fields.get(b"size", 0)),
        created_at=from_milliseconds(fields[b"created"]),
        updated_at=from_milliseconds(fields[b"updated"]),
    )


def read_order(ranks: Mapping[bytes, bytes]) -> list[tuple[int, int]]:
    """Decode (rank, movie) pairs, in the playlist's order."""
    return sorted((int(rank), int(movie)) for movie, rank in ranks.items())


def summary_key(shard: Shard, id_: str) -> str:
    return shard.state("playlist", id_)


def order_key(shard: Shard, id_: str) -> str:
    return shard.state("order", id_)


def _field_writes(event: PlaylistEvent, about: str, order: str) -> Iterator[Write]:
    match event:
        case PlaylistCreated(name=name, description=description, visibility=visibility):
            yield "HSET", about, "name", name, "visibility", visibility
            yield _description_write(about, description)
        case PlaylistRenamed(name=name):
            yield "HSET", about, "name", name
        case PlaylistDescribed(description=description):
            yield _description_write(about, description)
        case PlaylistShown(visibility=visibility):
            yield "HSET", about, "visibility", visibility
        case PlaylistMovieAdded(movie_id=movie, rank=rank):
            yield "HSET", order, movie, rank
            yield "HINCRBY", about, "size", 1
        case PlaylistMovieMoved(movie_id=movie, rank=rank):
            yield "HSET", order, movie, rank
        case PlaylistMovieRemoved(movie_id=movie):
            yield "HDEL", order, movie
            yield "HINCRBY", about, "size", -1
        case PlaylistDeleted():
            yield "DEL", about, order


def _description_write(about: str, description: str | None) -> Write:
    if description is None:
        return "HDEL", about, "description"
    return "HSET", about, "description", description
