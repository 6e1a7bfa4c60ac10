"""Format of a catalogue file: JSON lines, one movie each.

A line has ``id`` (of our catalogue), ``title``, ``year``, ``genres``, ``cast`` in order of billing,
``wikipedia`` (name of a page), ``external_ids`` (source to id), ``overview``, ``poster_url``; all
but the first two may be missing or null.
"""

from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta

from command_api.catalogue.decider import AddMovie, MovieFacts
from command_api.catalogue.genres import translate
from command_api.catalogue.id_allocation import LAST_FILE_ID
from command_api.catalogue.models import WIKIPEDIA

# PostgreSQL stores no NUL in a text; a blank name is no name.
_Name = Annotated[str, Meta(max_length=200, pattern=r"\A[^\x00]*[^\x00\s][^\x00]*\Z")]


class MovieLine(msgspec.Struct, frozen=True, kw_only=True):
    id: Annotated[int, Meta(ge=1, le=LAST_FILE_ID)]
    title: Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00]*[^\x00\s][^\x00]*\Z")]
    year: Annotated[int, Meta(ge=1850, le=2200)] | None = None
    genres: Annotated[tuple[_Name, ...], Meta(max_length=50)] | None = None
    cast: Annotated[tuple[_Name, ...], Meta(max_length=500)] | None = None
    wikipedia: Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00]+\Z")] | None = None
    external_ids: (
        dict[
            Annotated[str, Meta(max_length=40, pattern=r"\A[a-z0-9_]+\Z")],
            Annotated[str, Meta(max_length=500, pattern=r"\A[^\x00\s]+\Z")],
        ]
        | None
    ) = None
    overview: Annotated[str, Meta(max_length=10_000, pattern=r"\A[^\x00]*\Z")] | None = None
    poster_url: Annotated[str, Meta(max_length=2000, pattern=r"\Ahttps?://[^\x00\s]+\Z")] | None = (
        None
    )


_decoder = msgspec.json.Decoder(MovieLine)


def parse(content: bytes, unknown_genres: Counter[str]) -> AddMovie:
    """The command that adds a line's movie; raises ValueError for a malformed line.

    Genres that our table lacks are left out and counted in ``unknown_genres``.
    """
    try:
        line = _decoder.decode(content)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    translated = translate(line.genres or ())
    unknown_genres.update(translated.unknown)
    links = dict(line.external_ids or {})
    if line.wikipedia:
        links[WIKIPEDIA] = line.wikipedia
    facts = MovieFacts(
        title=line.title.strip(),
        year=line.year,
        genres=translated.genres,
        cast=tuple(dict.fromkeys(name.strip() for name in line.cast or ())),
        overview=line.overview or None,
        poster_url=line.poster_url,
    )
    return AddMovie(line.id, facts, tuple(links.items()))
