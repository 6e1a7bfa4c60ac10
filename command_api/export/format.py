"""Format of an export: JSON lines of several kinds, tagged by ``kind``."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from events.catalogue import Score, Visibility


class ExportedMovie(msgspec.Struct, frozen=True, kw_only=True):
    """A movie, with what identifies it on a platform where it has another id."""

    id: int
    title: str
    year: int | None
    external_ids: dict[str, str]


class ExportedRating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating as POST /v1/ratings/import takes it."""

    movie_id: int
    score: Score
    rated_at: datetime


class AccountLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="account"):
    """The first line: the user."""

    id: UUID
    username: str
    email: str
    registered_at: datetime
    email_verified: bool = False
    """Missing in older files."""


class PreferencesLine(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="preferences"
):
    """The user's preferences."""

    genres: tuple[str, ...]
    public_activity: bool
    strategy: str | None


class RatingLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rating"):
    """A rating."""

    rating: ExportedRating
    movie: ExportedMovie


class FavouriteLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="favourite"):
    """A favourite."""

    since: datetime
    movie: ExportedMovie


class HiddenLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="hidden"):
    """A hidden movie."""

    since: datetime
    movie: ExportedMovie


class PlaylistLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="playlist"):
    """A playlist with its movies in order."""

    id: str
    name: str
    description: str | None
    visibility: Visibility
    created_at: datetime
    movies: tuple[ExportedMovie, ...]


class EndLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last line: the number of lines before it. A file without it was cut short."""

    lines: int


ExportLine: TypeAlias = (
    AccountLine | PreferencesLine | RatingLine | FavouriteLine | HiddenLine | PlaylistLine | EndLine
)
