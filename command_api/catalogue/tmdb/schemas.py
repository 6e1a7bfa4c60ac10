"""TMDb's responses, as far as we read them (documentation: see infra/fake_tmdb).

A response that lacks a field without a default is rejected. All other fields of TMDb are ignored.
"""

from typing import Annotated, Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

LARGEST_ID = 999_999_999
"""Largest id of a film: a movie's id is derived from it (catalogue/id_allocation.py)."""


class NamedItem(msgspec.Struct, frozen=True):
    """A genre or a keyword."""

    name: str


class CastMember(msgspec.Struct, frozen=True):
    name: str
    order: int = 10_000


class CrewMember(msgspec.Struct, frozen=True):
    name: str
    job: str


class Credits(msgspec.Struct, frozen=True):
    cast: tuple[CastMember, ...] = ()
    crew: tuple[CrewMember, ...] = ()


class Keywords(msgspec.Struct, frozen=True):
    keywords: tuple[NamedItem, ...] = ()


class ExternalIds(msgspec.Struct, frozen=True):
    imdb_id: Any = None
    wikidata_id: str | None = None


class TranslatedTitle(msgspec.Struct, frozen=True):
    title: str | None = None


class TitleTranslation(msgspec.Struct, frozen=True):
    iso_639_1: str
    data: TranslatedTitle = TranslatedTitle()


class Translations(msgspec.Struct, frozen=True):
    translations: tuple[TitleTranslation, ...] = ()


class FilmResponse(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[int, msgspec.Meta(gt=0, le=LARGEST_ID)]
    title: str
    release_date: str | None
    genres: tuple[NamedItem, ...]
    overview: str | None = None
    poster_path: str | None = None
    original_title: str | None = None
    original_language: str | None = None
    runtime: int | None = None
    credits: Credits = Credits()
    keywords: Keywords = Keywords()
    external_ids: ExternalIds = ExternalIds()
    translations: Translations = Translations()


class FilmRef(msgspec.Struct, frozen=True):
    id: int


class ResultPage(msgspec.Struct, Generic[T], frozen=True):
    page: int
    results: tuple[T, ...]
    total_pages: int


class GenreList(msgspec.Struct, frozen=True):
    genres: tuple[NamedItem, ...]


class ErrorResponse(msgspec.Struct, frozen=True):
    status_code: int = 0
    status_message: str = ""


class FetchedFilm(msgspec.Struct, frozen=True):
    """A film and its ETag; ``film`` is None when the ETag is unchanged."""

    film: FilmResponse | None
    etag: str | None
