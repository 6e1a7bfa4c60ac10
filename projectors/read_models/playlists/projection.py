"""What does each event say of the playlists that everyone may see?"""

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
from projectors.read_models.search.text_normalisation import folded

Field: TypeAlias = Literal["name", "public"]


class Change(NamedTuple):
    """What is known of a playlist now: its folded name, or since when it is public (ms)."""

    playlist: str
    field: Field
    value: str | int | None
    """None: no such playlist, or not public."""


def changes(batch: Sequence[Recorded]) -> Iterator[Change]:
    """What the events change, in order."""
    for recorded in batch:
        at = round(recorded.occurred_at.timestamp() * 1000)
        match recorded.event:
            case PlaylistCreated(playlist_id=id_, name=name, visibility=visibility):
                yield Change(id_, "name", folded(name))
                yield Change(id_, "public", at if visibility == "public" else None)
            case PlaylistRenamed(playlist_id=id_, name=name):
                yield Change(id_, "name", folded(name))
            case PlaylistShown(playlist_id=id_, visibility=visibility):
                yield Change(id_, "public", at if visibility == "public" else None)
            case PlaylistDeleted(playlist_id=id_):
                yield Change(id_, "name", None)
                yield Change(id_, "public", None)
            case UserErased(playlists=ids):
                for id_ in ids:
                    yield Change(id_, "name", None)
                    yield Change(id_, "public", None)
            case _:  # not about who sees which playlist
                continue
