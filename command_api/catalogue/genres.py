"""What do we call the genres that other sources have names for?"""

from collections.abc import Iterable
from typing import NamedTuple

# Ours, and under them whatever else Wikipedia's lists, MovieLens and TMDb call the same thing.
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "Action": (),
    "Adventure": (),
    "Animation": ("Animated",),
    "Biography": (),
    "Comedy": (),
    "Crime": (),
    "Dance": (),
    "Disaster": (),
    "Documentary": (),
    "Drama": (),
    "Erotic": (),
    "Family": ("Children's", "Children"),
    "Fantasy": (),
    "Film Noir": ("Noir", "Film-Noir"),
    "Found Footage": (),
    "History": ("Historical",),
    "Horror": (),
    "Independent": (),
    "Legal": (),
    "Martial Arts": (),
    "Music": (),
    "Musical": (),
    "Mystery": (),
    "Performance": (),
    "Political": (),
    "Romance": (),
    "Satire": (),
    "Science Fiction": ("Sci-Fi",),
    "Short": (),
    "Silent": (),
    "Slasher": (),
    "Sport": ("Sports",),
    "Spy": (),
    "Superhero": (),
    "Supernatural": (),
    "Teen": (),
    "Thriller": ("Suspense",),
    "War": (),
    "Western": (),
}
# Said in the place of a genre, but about how a movie was made or shown.
_NOT_GENRES = ("(no genres listed)", "IMAX", "Live Action", "TV Movie")

GENRES: tuple[str, ...] = tuple(_OTHER_NAMES)

_OURS: dict[str, str | None] = {
    name.casefold(): ours for ours, others in _OTHER_NAMES.items() for name in (ours, *others)
} | {name.casefold(): None for name in _NOT_GENRES}


class TranslatedGenres(NamedTuple):
    """Our names in the source's order, each once; and the source's names that our table lacks."""

    genres: tuple[str, ...]
    unknown: tuple[str, ...]


def translate(names: Iterable[str]) -> TranslatedGenres:
    """A source's genres in our words."""
    found: dict[str, None] = {}
    unknown = []
    for name in names:
        key = name.strip().casefold()
        if key not in _OURS:
            unknown.append(name)
        elif (ours := _OURS[key]) is not None:
            found[ours] = None
    return TranslatedGenres(tuple(found), tuple(unknown))
