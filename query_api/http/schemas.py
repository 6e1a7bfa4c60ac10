"""OpenAPI schemas of all answers, derived from the structs of read models and of this API."""

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from events.catalogue import Visibility
from events.catalogue.movies import Credit
from infra.http.openapi import Shape
from infra.http.openapi_schemas import schema
from projectors.read_models.library.projection import UserPreferences
from projectors.read_models.movies.card import RatingSummary
from projectors.read_models.movies.projection import CardDetails
from projectors.read_models.recommendations.genre_affinity import RecommendationReason
from projectors.read_models.search.projection import ExtendedDetails
from projectors.read_models.similarity.formula import Confidence
from projectors.read_models.suggestions.projection import Suggestion

Next: TypeAlias = Annotated[str | None, Meta(description="the cursor of the next page")]


class PageFields(msgspec.Struct):
    """A page of a list."""

    next: Next


class CardFields(msgspec.Struct):
    """A movie."""

    external_ids: dict[str, str]
    community: RatingSummary


class BoardFields(msgspec.Struct):
    """A trending board."""

    as_of: datetime


class TrendingFields(msgspec.Struct):
    """A trending movie."""

    heat: float


class RatedFields(msgspec.Struct):
    """A movie that I rated."""

    score: int
    rated_at: datetime


class FavouriteFields(msgspec.Struct):
    """A movie of my favourites."""

    favourited_at: datetime


class HiddenFields(msgspec.Struct):
    """A movie that I never want to be recommended."""

    hidden_at: datetime


class LibraryCounts(msgspec.Struct):
    """How many ratings, favourites, hidden movies and playlists I have."""

    ratings: int
    favourites: int
    hidden: int
    playlists: int


class ProfileFields(msgspec.Struct):
    """My profile."""

    id: UUID
    username: str | None
    preferences: UserPreferences
    counts: LibraryCounts


class PlaylistFields(msgspec.Struct, kw_only=True):
    """A playlist without its movies."""

    id: str
    owner: Annotated[str | None, Meta(description="the owner's username")]
    name: str
    description: str | None
    visibility: Visibility
    version: Annotated[int, Meta(description="for If-Match, when the playlist is changed")]
    size: Annotated[int, Meta(description="number of movies")]
    followers: int = 0
    created_at: datetime
    updated_at: datetime


class PlaylistItemFields(msgspec.Struct):
    """A movie of a playlist."""

    position: Annotated[int, Meta(description="from 0")]


class SimilarityFields(msgspec.Struct):
    """How similar two movies are."""

    score: Annotated[float, Meta(description="0 to 1; shown as 0 to 100")]
    support: Annotated[int, Meta(description="number of people who liked both")]
    confidence: Confidence


class SimilarFields(msgspec.Struct):
    """A movie similar to another."""

    similarity: SimilarityFields


class RecommendedFields(msgspec.Struct):
    """A movie recommended to me."""

    score: float
    reasons: tuple[RecommendationReason, ...]


class NamedCount(msgspec.Struct):
    """The number of movies of a genre or decade."""

    name: str
    count: int


class HighlightFields(msgspec.Struct):
    """A movie that matches."""

    highlight: Annotated[str, Meta(description="the title as HTML, with matches in <em>")]


class FacetFields(msgspec.Struct):
    """Genres and decades of all matches."""

    genres: tuple[NamedCount, ...]
    decades: tuple[NamedCount, ...]


class SearchFields(msgspec.Struct):
    """All matches of a search."""

    total: int
    facets: FacetFields


schema("Community", RatingSummary)
schema("Credit", Credit)
schema("Preferences", UserPreferences)
schema("Counts", LibraryCounts)
schema("Similarity", SimilarityFields)
schema("Reason", RecommendationReason)
NameCount = schema("NameCount", NamedCount)
schema("Facets", FacetFields)


def _item(name: str, fields: type[msgspec.Struct]) -> Shape:
    """A card with some fields behind its own."""
    return schema(name, CardDetails, CardFields, fields)


def _page(name: str, item: Shape, description: str, *fields: type[msgspec.Struct]) -> Shape:
    return schema(name, *fields, PageFields, items=item(many=True), description=description)


Card = schema("Card", CardDetails, CardFields)
Details = schema(
    "Details", CardDetails, CardFields, ExtendedDetails, description="A movie with all its details."
)
Me = schema("Me", ProfileFields)
Playlist = schema("Playlist", PlaylistFields)

TrendingPage = _page(
    "TrendingPage", _item("TrendingItem", TrendingFields), "The hottest movies.", BoardFields
)
RatingsPage = _page("RatingsPage", _item("RatedItem", RatedFields), "My ratings.")
FavouritesPage = _page("FavouritesPage", _item("FavouriteItem", FavouriteFields), "My favourites.")
HiddenPage = _page("HiddenPage", _item("HiddenItem", HiddenFields), "My hidden movies.")
PlaylistsPage = _page("PlaylistsPage", Playlist, "Playlists.")
PlaylistPage = _page(
    "PlaylistPage",
    _item("PlaylistItem", PlaylistItemFields),
    "A playlist with a page of its movies.",
    PlaylistFields,
)
SimilarPage = _page(
    "SimilarPage", _item("SimilarItem", SimilarFields), "Similar movies, the most similar first."
)
SuggestionsList = _page(
    "SuggestionsList", schema("Suggestion", Suggestion), "The most popular matches, at most ten."
)
RecommendationsPage = _page(
    "RecommendationsPage", _item("RecommendedItem", RecommendedFields), "My recommendations."
)
GenresList = _page("GenresList", NameCount, "All genres.")
SearchPage = _page(
    "SearchPage", _item("FoundItem", HighlightFields), "Movies that match.", SearchFields
)
