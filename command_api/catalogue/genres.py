"""Genre table: our names of genres, and the names of other sources for them."""

from collections.abc import Iterable
from typing import NamedTuple

# Our name, and the names of Wikipedia's lists, MovieLens and TMDb for the same genre.
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
# Listed as genres by some sources, but about how a movie was made or shown.
_NOT_GENRES = ("(no genres listed)", "IMAX", "Live Action", "TV Movie")

GENRES: tuple[str, ...] = tuple(_OTHER_NAMES)

_OURS: dict[str, str | None] = {
    name.casefold(): ours for ours, others in _OTHER_NAMES.items() for name in (ours, *others)
} | {name.casefold(): None for name in _NOT_GENRES}


class TranslatedGenres(NamedTuple):
    """Our names in the source's order, each once, and the names that our table lacks."""

    genres: tuple[str, ...]
    unknown: tuple[str, ...]


def translate(names: Iterable[str]) -> TranslatedGenres:
    genres: dict[str, None] = {}
    unknown = []
    for name in names:
        key = name.strip().casefold()
        if key not in _OURS:
            unknown.append(name)
        elif (ours := _OURS[key]) is not None:
            genres[ours] = None
    return TranslatedGenres(tuple(genres), tuple(unknown))
