"""Data sets in MovieLens' format: film and user numbers count only within their own.

Each release numbers its films and users anew. So the external ids of its films and the ids of its
users hold the data set's name. ``movielens`` itself is the first data set of a log, and the only
one of logs that were written before data sets had names.
"""

import re
from typing import NamedTuple
from uuid import UUID, uuid5

from command_api.catalogue.models import MOVIELENS

_USERS = UUID("5f2a2d5e-6a40-4f4b-9d0b-6c0d1c6c7a11")
"""The namespace of the users of all data sets."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,29}")


class DataSet(NamedTuple):
    name: str

    @property
    def source(self) -> str:
        """Source of the external ids of its films."""
        return self.name if self.name == MOVIELENS else f"{MOVIELENS}:{self.name}"

    def user_id(self, number: int) -> UUID:
        """The id of a user of the data set, the same in every import."""
        return uuid5(_USERS, f"{self.source}:{number}")


FIRST = DataSet(MOVIELENS)


def named(name: str) -> DataSet:
    """The data set of a name; raises ValueError for a name that can't be stored."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a data set: use 1 to 30 small letters, digits, '.', '_' or"
            " '-', and begin with a letter or digit"
        )
    return DataSet(name)


def of_source(source: str) -> DataSet:
    """The data set whose films have external ids of this source."""
    return DataSet(source.removeprefix(f"{MOVIELENS}:"))
