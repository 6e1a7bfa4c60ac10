"""Sample of matches between the demo catalogue and MovieLens 100K, checked by hand.

``movielens_100k.csv`` was made from both lists without our rules (similar titles of any year), and
each line was checked with cast and genres. It holds hard cases: articles, brackets, remakes, other
years and titles. Only ids are MovieLens', which may not be redistributed; titles are ours. Expected
of a film:

- ``match``: it is matched;
- ``add``: the catalogue lacks it, however similar a title may be;
- ``either``: the catalogue has it under another name: adding it is no mistake, another match is.
"""

import csv
import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
ML_100K = Path(os.environ.get("RATINGS") or ROOT.parent / "shared" / "data" / "ml-100k")
_TABLE = Path(__file__).with_name("movielens_100k.csv")


class ExpectedMatch(NamedTuple):
    """A line of the sample."""

    movielens_id: int
    wanted: str
    movie_id: int | None
    title: str
    year: str

    def is_right(self, movie_id: int | None) -> bool:
        """Whether the movie is a correct match; None is a film that was added."""
        if self.wanted == "either" and movie_id is None:
            return True
        return movie_id == self.movie_id


def expected_matches() -> list[ExpectedMatch]:
    with _TABLE.open(newline="") as file:
        return [
            ExpectedMatch(
                int(row["movielens_id"]),
                row["wanted"],
                int(row["movie_id"]) if row["movie_id"] else None,
                row["title"],
                row["year"],
            )
            for row in csv.DictReader(file)
        ]
