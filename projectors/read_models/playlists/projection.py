"""Projection of public playlists: name and visibility that each event changes."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

from events.catalogue import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistRenamed,
    PlaylistShown,
    UserErased,
)
from events.recorded import Recorded
from projectors.read_models.search.text_normalisation import fold

Field: TypeAlias = Literal["name", "public"]


class PlaylistFieldUpdate(NamedTuple):
    """The new value of a playlist's folded name, or when it became public (ms)."""

    playlist: str
    field: Field
    value: str | int | None
    """None: deleted, or not public."""


def field_updates(batch: Sequence[Recorded]) -> Iterator[PlaylistFieldUpdate]:
    """Yield the batch's updates, in order."""
    for recorded in batch:
        at = round(recorded.occurred_at.timestamp() * 1000)
        match recorded.event:
            case PlaylistCreated(playlist_id=id_, name=name, visibility=visibility):
                yield PlaylistFieldUpdate(id_, "name", fold(name))
                yield PlaylistFieldUpdate(id_, "public", at if visibility == "public" else None)
            case PlaylistRenamed(playlist_id=id_, name=name):
                yield PlaylistFieldUpdate(id_, "name", fold(name))
            case PlaylistShown(playlist_id=id_, visibility=visibility):
                yield PlaylistFieldUpdate(id_, "public", at if visibility == "public" else None)
            case PlaylistDeleted(playlist_id=id_):
                yield PlaylistFieldUpdate(id_, "name", None)
                yield PlaylistFieldUpdate(id_, "public", None)
            case UserErased(playlists=ids):
                for id_ in ids:
                    yield PlaylistFieldUpdate(id_, "name", None)
                    yield PlaylistFieldUpdate(id_, "public", None)
            case _:  # not about the name or visibility of a playlist
                continue
