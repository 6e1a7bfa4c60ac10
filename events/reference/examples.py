"""Examples of events: golden logs with the stored form of every event ever released.

A line of a golden log never changes: the log may hold such events for ever.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from events import cloudevent, codec
from events.catalogue import (
    AnyEvent,
    EmailVerified,
    MovieEvent,
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieUnfavourited,
    MovieUnhidden,
    PlaylistEvent,
    PreferencesChanged,
    RatingWithdrawn,
    SessionRevoked,
    SessionsRevoked,
    StaffGranted,
    StaffRevoked,
    TrendObserved,
    UserErased,
    UserRegistered,
)
from events.recorded import Stored, Stream, partition_of

GOLDEN = Path(__file__).parent / "golden"

_PARTITIONS = 64
_TIME = datetime(2026, 1, 2, 12, tzinfo=UTC)
_REQUEST = UUID("0191a7d4-38f1-4c54-a8a7-4f4d5f1a2b3c")


def golden(directory: Path = GOLDEN) -> Mapping[str, str]:
    """The first stored event of each tag."""
    return {
        path.name.removesuffix(".jsonl"): path.read_text().partition("\n")[0]
        for path in sorted(directory.glob("*.jsonl"))
    }


def message(tag: str, line: str) -> bytes:
    """The bus message of an event, as if it were the first of its log."""
    event = codec.decode(tag, line)
    stream = Stream(_stream_name(event), owner_of(event))
    return cloudevent.wrap(
        Stored(
            partition=partition_of(stream.owner, _PARTITIONS),
            offset=1,
            stream=stream.name,
            version=1,
            type=tag,
            data=line,
            occurred_at=_TIME,
            recorded_at=_TIME + timedelta(milliseconds=3),
            correlation_id=_REQUEST,
        )
    )


def owner_of(event: AnyEvent) -> str:
    """The owner whose partition an event is in."""
    if isinstance(event, MovieEvent):
        return str(event.movie_id)
    return event.board if isinstance(event, TrendObserved) else str(event.user_id)


def _stream_name(event: AnyEvent) -> str:  # noqa: C901, PLR0911 - a line a kind of stream
    if isinstance(event, MovieEvent):
        return f"movie-{event.movie_id}"
    if isinstance(event, PlaylistEvent):
        return f"playlist-{event.playlist_id}"
    match event:
        case TrendObserved(board=board):
            return f"trend-{board}-{_TIME.date()}"
        case MovieRated() | RatingWithdrawn():
            return f"rating-{event.user_id}-{event.movie_id}"
        case MovieFavourited() | MovieUnfavourited():
            return f"favourite-{event.user_id}-{event.movie_id}"
        case MovieHidden() | MovieUnhidden():
            return f"hidden-{event.user_id}-{event.movie_id}"
        case UserRegistered():
            return f"user-{event.user_id}"
        case UserErased():
            return f"erasure-{event.user_id}"
        case PreferencesChanged():
            return f"preferences-{event.user_id}"
        case SessionRevoked() | SessionsRevoked():
            return f"sessions-{event.user_id}"
        case EmailVerified():
            return f"email-{event.user_id}"
        case StaffGranted() | StaffRevoked():
            return f"staff-{event.user_id}"
