"""Which movies of the demo catalogue are films of MovieLens 100K, by a person's word?

``movielens_100k.csv`` was made from both lists without our rules: names without articles, accents
and blanks, words in common, whatever year; then each line was looked at, with cast and genres. It
holds what is hard (articles, brackets, remakes, another year or another title here) and numbers
only of MovieLens, which may not be redistributed: titles are ours. What is wanted of a film:

- ``match``: it is found;
- ``add``: our catalogue lacks it, however alike a title may be;
- ``either``: we have it by another name, so that to add it is no mistake, and to take another is.
"""

import csv
import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
ML_100K = Path(os.environ.get("RATINGS") or ROOT.parent / "shared" / "data" / "ml-100k")
_TABLE = Path(__file__).with_name("movielens_100k.csv")


class Wanted(NamedTuple):
    """A line of the table."""

    movielens_id: int
    wanted: str
    movie_id: int | None
    title: str
    year: str

    def is_right(self, movie_id: int | None) -> bool:
        """Whether the film may be that movie of the catalogue; None: it is none of it."""
        if self.wanted == "either" and movie_id is None:
            return True
        return movie_id == self.movie_id


def wanted() -> list[Wanted]:
    """The table."""
    with _TABLE.open(newline="") as file:
        return [
            Wanted(
                int(row["movielens_id"]),
                row["wanted"],
                int(row["movie_id"]) if row["movie_id"] else None,
                row["title"],
                row["year"],
            )
            for row in csv.DictReader(file)
        ]
