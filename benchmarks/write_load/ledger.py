"""Ledger: what each user's accepted writes add up to, by the responses alone.

Nothing here comes from a read model or from the log, which are what is tested. A write enters the
ledger once it is answered; without an answer it is sent again.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

SCORES = range(1, 11)


class LoadPlaylist(msgspec.Struct):
    """A playlist after its owner's last write."""

    name: str
    version: int
    movies: list[int] = []


class LoadAccount(msgspec.Struct, frozen=True):
    """A user's id and credentials."""

    id: str
    username: str
    password: str


class LoadUser(msgspec.Struct):
    """A user, and the last value of everything they wrote."""

    account: LoadAccount
    ratings: dict[int, int] = {}
    favourites: set[int] = set()
    playlists: dict[str, LoadPlaylist] = {}


class Writes(msgspec.Struct):
    """Counts of writes by outcome."""

    accepted: int = 0
    refused: int = 0
    """Refused (4xx) for no valid reason: something accepted earlier is missing."""
    repeated: int = 0
    """Sent again because there was no answer."""
    had_been_done: int = 0
    """Repeated writes whose first attempt had been executed."""
    had_not_been_done: int = 0
    """Repeated writes whose first attempt had not been executed."""
    faults: int = 0
    """Answers that were server errors other than 503."""

    def __add__(self, other: "Writes") -> "Writes":
        ours, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Writes(*(one + another for one, another in zip(ours, theirs, strict=True)))


class Ledger(msgspec.Struct):
    """All users, and the movies' histograms before their first write."""

    people: list[LoadUser]
    before: dict[int, list[int]] = {}
    writes: Writes = msgspec.field(default_factory=Writes)

    def histogram(self, movie: int) -> list[int]:
        """The number of votes for each score that a movie must have."""
        votes = Counter(person.ratings.get(movie) for person in self.people)
        before = self.before.get(movie) or [0] * len(SCORES)
        return [had + votes[score] for score, had in zip(SCORES, before, strict=True)]

    def write(self) -> bytes:
        """Encode as JSON."""
        return msgspec.json.encode(self)

    @staticmethod
    def read(content: bytes) -> "Ledger":
        """Decode from JSON."""
        return msgspec.json.decode(content, type=Ledger)


def total(writes: Iterable[Writes]) -> Writes:
    """Add up the counts."""
    return sum(writes, Writes())
