"""Films of Wikidata as the package bokeh_sampledata carries them in ``movies.db`` (CC0)."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from command_api.catalogue.demo.cleaning import clean_cast, clean_title
from command_api.catalogue.demo.enrichment import SourceFilm

_BETWEEN_NAMES = re.compile(r", (?!(?:Jr|Sr)\.|I{2,3}\b)")
_ACTUAL_DIRECTORS = {
    "tt0034384": "Fritz Lang",
    "tt0038370": "Stuart Heisler",
    "tt0046280": "George Marshall",
    "tt0061107": "Alfred Hitchcock",
    "tt0067333": "Michael Winner",
}
"""Of films for which Wikidata calls producers, writers or actors directors, too."""
_FILMS = """
SELECT Title, Year, imdbID, Director, "Cast", Reviews, Oscars
FROM omdb JOIN tomatoes USING (ID) ORDER BY imdbID
"""


def read_films(path: Path) -> Iterator[SourceFilm]:
    """The films of ``movies.db``; reviews of critics, and Academy Awards."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        for title, year, imdb_id, directors, cast, reviews, awards in database.execute(_FILMS):
            yield SourceFilm(
                title=clean_title(title),
                year=year,
                imdb_id=imdb_id,
                directors=_names(_ACTUAL_DIRECTORS.get(imdb_id, directors)),
                cast=_names(cast),
                reviews=reviews or 0,
                awards=awards or 0,
            )


def _names(joined: str | None) -> tuple[str, ...]:
    return clean_cast(_BETWEEN_NAMES.split(joined or ""))
