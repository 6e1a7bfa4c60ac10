"""What do we read of TMDb's answers?

Fields without a default are needed: an answer without one is not taken, and the film is named.
Whatever else TMDb tells, now or later, is passed over. Where it is documented: see infra/fake_tmdb.
"""

from typing import Annotated, Generic, TypeVar

import msgspec

T = TypeVar("T")

LARGEST_ID = 999_999_999
"""That a film can have: a movie of ours is made of it (catalogue/numbering.py)."""


class NamedItem(msgspec.Struct, frozen=True):
    """A genre or a keyword."""

    name: str


class CastMember(msgspec.Struct, frozen=True):
    """Somebody who plays."""

    name: str
    order: int = 10_000


class CrewMember(msgspec.Struct, frozen=True):
    """Somebody who made the film, and as what."""

    name: str
    job: str


class Credits(msgspec.Struct, frozen=True):
    """Everybody."""

    cast: tuple[CastMember, ...] = ()
    crew: tuple[CrewMember, ...] = ()


class Keywords(msgspec.Struct, frozen=True):
    """What it is about."""

    keywords: tuple[NamedItem, ...] = ()


class ExternalIds(msgspec.Struct, frozen=True):
    """What others call the film."""

    imdb_id: str | None = None
    wikidata_id: str | None = None


class TranslatedTitle(msgspec.Struct, frozen=True):
    """What is said in another language."""

    title: str | None = None


class TitleTranslation(msgspec.Struct, frozen=True):
    """One language."""

    iso_639_1: str
    data: TranslatedTitle = TranslatedTitle()


class Translations(msgspec.Struct, frozen=True):
    """All languages."""

    translations: tuple[TitleTranslation, ...] = ()


class FilmResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A film in full."""

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
    """A film of a list: no more of it is needed than which it is."""

    id: int


class ResultPage(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list."""

    page: int
    results: tuple[T, ...]
    total_pages: int


class GenreList(msgspec.Struct, frozen=True):
    """All genres that TMDb has words for."""

    genres: tuple[NamedItem, ...]


class ErrorResponse(msgspec.Struct, frozen=True):
    """What it says when it says no."""

    status_code: int = 0
    status_message: str = ""


class FetchedFilm(msgspec.Struct, frozen=True):
    """A film that was asked for; None: it is as it was when it carried that mark."""

    film: FilmResponse | None
    mark: str | None
    """To be sent along the next time (ETag)."""
