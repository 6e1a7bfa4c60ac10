"""Mapping of a TMDb film to facts and details of a movie."""

from collections.abc import Iterable
from datetime import date

from command_api.catalogue.decider import MovieDetails, MovieFacts
from command_api.catalogue.genres import translate
from command_api.catalogue.tmdb.schemas import CrewMember, FilmResponse
from events.catalogue import Credit
from infra.visible_text import is_blank, scrubbed

MOST_CAST, MOST_CREW, MOST_KEYWORDS = 30, 30, 50
"""Cards are read often: cast and crew beyond that are left out."""

_JOBS = frozenset(
    {
        "Director",
        "Screenplay",
        "Writer",
        "Story",
        "Novel",
        "Producer",
        "Director of Photography",
        "Editor",
        "Original Music Composer",
    }
)
# Our genres that TMDb has, too. A movie's other genres stay when TMDb describes it.
_TMDB_GENRES = frozenset(
    {
        "Action",
        "Adventure",
        "Animation",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Family",
        "Fantasy",
        "History",
        "Horror",
        "Music",
        "Mystery",
        "Romance",
        "Science Fiction",
        "Thriller",
        "War",
        "Western",
    }
)
_LONGEST_RUNTIME = 100_000
LONGEST_TITLE, _LONGEST_NAME, _LONGEST_OVERVIEW, _LONGEST_LANGUAGE = 500, 200, 10_000, 10
_LONGEST_POSTER = 500


def facts_of(film: FilmResponse, known: MovieFacts | None, *, image_url: str) -> MovieFacts:
    """The film's card; keeps of ``known`` what TMDb lacks. Raises ValueError without a title."""
    genres = translate(genre.name for genre in film.genres).genres
    billed = sorted(film.credits.cast, key=lambda member: member.order)
    cast = tuple(_names((member.name for member in billed), MOST_CAST))
    year = released_on(film)
    crew = _crew(film.credits.crew)
    poster = clean(film.poster_path or "", _LONGEST_POSTER)
    title = clean(film.title, LONGEST_TITLE)
    if not title:
        raise ValueError("it has no title")
    return MovieFacts(
        title=title,
        year=year.year if year else known.year if known else None,
        genres=(*genres, *(g for g in known.genres if g not in _TMDB_GENRES)) if known else genres,
        cast=cast or (known.cast if known else ()),
        overview=clean(film.overview or "", _LONGEST_OVERVIEW, is_long=True) or None,
        poster_url=f"{image_url}{poster}" if poster else None,
        directors=tuple(dict.fromkeys(c.name for c in crew if c.job == "Director")),
    )


def details_of(film: FilmResponse) -> MovieDetails:
    """The film's details beyond the card."""
    titles: dict[str, str] = {}
    for translation in film.translations.translations:
        language = scrubbed(translation.iso_639_1)
        title = clean(translation.data.title or "", LONGEST_TITLE)
        if title and language and len(language) <= _LONGEST_LANGUAGE:
            titles.setdefault(language, title)
    return MovieDetails(
        original_title=clean(film.original_title or "", LONGEST_TITLE) or None,
        original_language=clean(film.original_language or "", _LONGEST_LANGUAGE) or None,
        released_on=released_on(film),
        runtime_minutes=film.runtime if 0 < (film.runtime or 0) < _LONGEST_RUNTIME else None,
        crew=tuple(_crew(film.credits.crew)),
        keywords=tuple(_names((word.name for word in film.keywords.keywords), MOST_KEYWORDS)),
        titles=frozenset(titles.items()),
    )


def unknown_genres(film: FilmResponse) -> tuple[str, ...]:
    return translate(genre.name for genre in film.genres).unknown


def released_on(film: FilmResponse) -> date | None:
    try:
        return date.fromisoformat(film.release_date or "")
    except ValueError:
        return None


def clean(text: str, longest: int, *, is_long: bool = False) -> str:
    """The text without hidden characters, cut to ``longest``; empty if there is nothing to see.

    Long text may have line breaks.
    """
    cut = scrubbed(text, is_long=is_long)[:longest].strip()
    return "" if is_blank(cut) else cut


def _names(names: Iterable[str], most: int) -> list[str]:
    cleaned = (clean(name, _LONGEST_NAME) for name in names)
    return list(dict.fromkeys(name for name in cleaned if name))[:most]


def _crew(members: Iterable[CrewMember]) -> list[Credit]:
    credited = (
        Credit(clean(member.name, _LONGEST_NAME), member.job)
        for member in members
        if member.job in _JOBS
    )
    return list(dict.fromkeys(credit for credit in credited if credit.name))[:MOST_CREW]
