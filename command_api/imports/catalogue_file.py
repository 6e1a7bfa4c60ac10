"""Format of a catalogue file: JSON lines, one movie each.

A line has ``id`` (of our catalogue), ``title``, ``year``, ``genres``, ``cast`` in order of billing,
``wikipedia`` (name of a page), ``external_ids`` (source to id), ``overview``, ``poster_url``,
``directors`` and ``prominence`` (0 to 100); all but the first two may be missing or null.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from command_api.catalogue.decider import AddMovie, ExternalId, MovieFacts
from command_api.catalogue.external_ids import readable_ids
from command_api.catalogue.genres import translate
from command_api.catalogue.id_allocation import LAST_FILE_ID
from command_api.catalogue.models import WIKIPEDIA
from command_api.imports import json_line
from events.catalogue.movies import Prominence
from infra import visible_text

_LONGEST_TITLE, _LONGEST_NAME = 500, 200
_Name = Annotated[str, Meta(max_length=_LONGEST_NAME)]


class MovieLine(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[int, Meta(ge=1, le=LAST_FILE_ID)]
    title: Annotated[str, Meta(max_length=_LONGEST_TITLE)]
    year: Annotated[int, Meta(ge=1850, le=2200)] | None = None
    genres: Annotated[tuple[_Name, ...], Meta(max_length=50)] | None = None
    cast: Annotated[tuple[_Name, ...], Meta(max_length=500)] | None = None
    wikipedia: Annotated[str, Meta(max_length=_LONGEST_TITLE)] | None = None
    external_ids: Any = None
    overview: Annotated[str, Meta(max_length=10_000)] | None = None
    poster_url: Annotated[str, Meta(max_length=2000, pattern=r"\Ahttps?://[^\x00\s]+\Z")] | None = (
        None
    )
    directors: Annotated[tuple[_Name, ...], Meta(max_length=50)] | None = None
    prominence: Prominence | None = None


def parse(
    content: bytes,
    unknown_genres: Counter[str],
    report: Callable[[str], object] = lambda _: None,
) -> AddMovie:
    """The command that adds a line's movie; raises ValueError for a malformed line.

    Genres that our table lacks are left out and counted in ``unknown_genres``; external ids that
    can't be read are left out and reported.
    """
    line: MovieLine = json_line.decode(content, MovieLine)
    translated = translate(_name("genres", name) for name in line.genres or ())
    unknown_genres.update(translated.unknown)
    facts = MovieFacts(
        title=_name("title", line.title, _LONGEST_TITLE),
        year=line.year,
        genres=translated.genres,
        cast=_names("cast", line.cast),
        overview=_overview(line.overview),
        poster_url=_url(line.poster_url),
        directors=_names("directors", line.directors),
        prominence=line.prominence,
    )
    return AddMovie(line.id, facts, tuple(_links(line, report)))


def _links(line: MovieLine, report: Callable[[str], object]) -> Sequence[ExternalId]:
    page = _name("wikipedia", line.wikipedia, _LONGEST_TITLE) if line.wikipedia else ""
    given = line.external_ids or {}
    if not isinstance(given, dict):
        report(f"external_ids: {given!r:.40} is not an object")
        given = {}
    links = dict.fromkeys(readable_ids(given, report))
    if not page:
        return tuple(links)
    return *(link for link in links if link[0] != WIKIPEDIA), (WIKIPEDIA, page)


def _name(field: str, text: str, longest: int = _LONGEST_NAME) -> str:
    name = _visible(field, text, visible_text.one_line)
    if len(name) > longest:  # a normal form may be longer than the text
        raise ValueError(f"{field}: longer than {longest} characters")
    if visible_text.is_blank(name):
        raise ValueError(f"{field}: there is nothing to see in {text!r:.40}")
    return name


def _url(url: str | None) -> str | None:
    """The URL as it is; raises ValueError for one with a hidden character."""
    _visible("poster_url", url or "", visible_text.normalised)
    return url


def _overview(text: str | None) -> str | None:
    overview = visible_text.without_invisible(text or "")
    return _visible("overview", overview, partial(visible_text.normalised, is_long=True)) or None


def _visible(field: str, text: str, normalise: Callable[[str], str]) -> str:
    try:
        return normalise(text)
    except visible_text.RefusedText as error:
        raise ValueError(f"{field}: {error}") from error


def _names(field: str, names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(field, name) for name in names or ()))
