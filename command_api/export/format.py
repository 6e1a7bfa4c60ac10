"""Format of an export: JSON lines of several kinds, tagged by ``kind``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from events.catalogue import Score, Visibility


class ExportedMovie(msgspec.Struct, frozen=True, kw_only=True):
    """A movie, with what identifies it on a platform where it has another id."""

    id: int
    title: Annotated[str, Meta(pattern=r"\A[^\x00]*\Z")]
    year: int | None
    external_ids: Mapping[str, Any] | None
    """Ids by source; other programs write numbers and null."""


class ExportedRating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating as POST /v1/ratings/import takes it."""

    movie_id: int
    score: Score
    rated_at: datetime


class _Line(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="kind",
    tag=lambda name: name.removesuffix("Line").lower(),
):
    """A line; its kind is its class's name: ``account``, ``preferences`` and so on."""


class AccountLine(_Line, frozen=True, kw_only=True):
    """The first line: the user."""

    id: UUID
    username: str
    email: str
    registered_at: datetime
    email_verified: bool = False
    """Missing in older files."""


class PreferencesLine(_Line, frozen=True, kw_only=True):
    genres: tuple[str, ...]
    public_activity: bool
    strategy: str | None


class RatingLine(_Line, frozen=True, kw_only=True):
    rating: ExportedRating
    movie: ExportedMovie


class FavouriteLine(_Line, frozen=True, kw_only=True):
    since: datetime
    movie: ExportedMovie


class HiddenLine(_Line, frozen=True, kw_only=True):
    since: datetime
    movie: ExportedMovie


class PlaylistLine(_Line, frozen=True, kw_only=True):
    """A playlist with its movies in order."""

    id: str
    name: str
    description: str | None
    visibility: Visibility
    created_at: datetime
    movies: tuple[ExportedMovie, ...]


class EndLine(_Line, frozen=True, kw_only=True):
    """The last line: the number of lines before it. A file without it was cut short."""

    lines: int


ExportLine: TypeAlias = (
    AccountLine | PreferencesLine | RatingLine | FavouriteLine | HiddenLine | PlaylistLine | EndLine
)
