"""How does what a person takes along look? A line of JSON each; ``kind`` says what it is."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from events.catalogue import Score, Visibility


class ExportedMovie(msgspec.Struct, frozen=True, kw_only=True):
    """A movie, so that it is found again where it has another number."""

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
    """The first line: who it is."""

    id: UUID
    username: str
    email: str
    registered_at: datetime
    email_verified: bool = False
    """Files of before did not say so."""


class PreferencesLine(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="preferences"
):
    """What they like, and what others may see."""

    genres: tuple[str, ...]
    public_activity: bool
    strategy: str | None


class RatingLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rating"):
    """What they think of a movie."""

    rating: ExportedRating
    movie: ExportedMovie


class FavouriteLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="favourite"):
    """A movie that they keep."""

    since: datetime
    movie: ExportedMovie


class HiddenLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="hidden"):
    """A movie that is not for them."""

    since: datetime
    movie: ExportedMovie


class PlaylistLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="playlist"):
    """A playlist, its movies in order."""

    id: str
    name: str
    description: str | None
    visibility: Visibility
    created_at: datetime
    movies: tuple[ExportedMovie, ...]


class EndLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="end"):
    """The last line: how many come before it. Where it is missing the file was cut short."""

    lines: int


ExportLine: TypeAlias = (
    AccountLine | PreferencesLine | RatingLine | FavouriteLine | HiddenLine | PlaylistLine | EndLine
)
