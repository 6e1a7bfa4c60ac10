"""Ledger: what each user's accepted writes add up to, by the responses alone.

The platform is no witness of its own: nothing here comes from a read model or from the log. A write
that was answered is in the ledger; one without an answer is sent again until it is answered.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

SCORES = range(1, 11)


class LoadPlaylist(msgspec.Struct):
    """A playlist as its owner left it."""

    name: str
    version: int
    movies: list[int] = []


class LoadAccount(msgspec.Struct, frozen=True):
    """Whose it is."""

    id: str
    username: str
    password: str


class LoadUser(msgspec.Struct):
    """Somebody, and the last value of all that they wrote."""

    account: LoadAccount
    ratings: dict[int, int] = {}
    favourites: set[int] = set()
    playlists: dict[str, LoadPlaylist] = {}


class Writes(msgspec.Struct):
    """What became of the writes."""

    accepted: int = 0
    refused: int = 0
    """Answered with a no (4xx) that nothing explains: what was accepted before is not there."""
    repeated: int = 0
    """Sent again for want of an answer."""
    had_been_done: int = 0
    """Of those without an answer, done all the same."""
    had_not_been_done: int = 0
    """Of those, not done before they were sent again."""

    def __add__(self, other: "Writes") -> "Writes":
        ours, theirs = msgspec.structs.astuple(self), msgspec.structs.astuple(other)
        return Writes(*(one + another for one, another in zip(ours, theirs, strict=True)))


class Ledger(msgspec.Struct):
    """Everyone's, and what the movies' histograms were before anyone of them came."""

    people: list[LoadUser]
    before: dict[int, list[int]] = {}
    writes: Writes = msgspec.field(default_factory=Writes)

    def histogram(self, movie: int) -> list[int]:
        """The votes for each score that a movie must have."""
        votes = Counter(person.ratings.get(movie) for person in self.people)
        before = self.before.get(movie) or [0] * len(SCORES)
        return [had + votes[score] for score, had in zip(SCORES, before, strict=True)]

    def write(self) -> bytes:
        """As a file holds it."""
        return msgspec.json.encode(self)

    @staticmethod
    def read(content: bytes) -> "Ledger":
        """Out of a file."""
        return msgspec.json.decode(content, type=Ledger)


def total(writes: Iterable[Writes]) -> Writes:
    """What became of all of them."""
    return sum(writes, Writes())
