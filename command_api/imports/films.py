"""Which of our movies are the films that MovieLens names?

In this order: one that is linked to the film already, one that shares an id of another source,
one with the same title and year. When several have these, the one with the lowest id. What is none
of them is new. A double is a film that another of MovieLens' own ids is already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from command_api.catalogue.decider import AddMovie, ExternalId, Facts, LinkMovie, MovieCommand
from command_api.imports import titles
from command_api.imports.movielens_files import Film
from command_api.imports.titles import Title

MOVIELENS = "movielens"

How: TypeAlias = Literal["there", "double", "ambiguous", "matched", "added"]


class Found(NamedTuple):
    """What a film is to us, and what has to be said so that the log knows it, too."""

    movie_id: int
    how: How
    commands: Sequence[MovieCommand]
    taken: Sequence[ExternalId]
    """Ids of other sources that belong to another movie."""


@dataclass
class Known:
    """The movies as far as recognising them goes; grows with each film that is found."""

    next_id: int
    linked: dict[ExternalId, int] = field(default_factory=dict)
    _of_movielens: set[int] = field(default_factory=set)
    _named: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def add(self, movie_id: int, title: str, year: int | None) -> None:
        """Know a movie by title and year; without a year it can't be told from its namesakes."""
        if year is not None:
            self._named.setdefault((titles.key(title), year), []).append(movie_id)

    def link(self, movie_id: int, source: str, value: str) -> None:
        """Know a movie by what another source calls it."""
        self.linked[source, value] = movie_id
        if source == MOVIELENS:
            self._of_movielens.add(movie_id)

    def find(self, film: Film, other_ids: Mapping[str, str]) -> Found:
        """The film's movie, which is known to be it from now on."""
        links = ((MOVIELENS, str(film.movielens_id)), *other_ids.items())
        movie_id, how = self._recognise(film, links)
        ours = [link for link in links if self.linked.get(link, movie_id) == movie_id]
        commands: list[MovieCommand] = []
        if how == "added":
            commands.append(AddMovie(movie_id, _facts(film), tuple(ours)))
            self.add(movie_id, film.title.title, film.title.year)
            self.next_id = movie_id + 1
        else:
            commands += [LinkMovie(movie_id, *link) for link in ours if link not in self.linked]
        for link in ours:
            self.link(movie_id, *link)
        return Found(movie_id, how, commands, [link for link in links if link not in ours])

    def _recognise(self, film: Film, links: Sequence[ExternalId]) -> tuple[int, How]:
        mine, *others = links
        if mine in self.linked:
            return self.linked[mine], "there"
        candidates = [self.linked[link] for link in others if link in self.linked][:1]
        candidates = candidates or self._namesakes(film.title)
        if not candidates:
            return self.next_id, "added"
        movie_id = min(candidates)
        if movie_id in self._of_movielens:
            return movie_id, "double"
        return movie_id, "ambiguous" if len(candidates) > 1 else "matched"

    def _namesakes(self, title: Title) -> list[int]:
        if title.year is None:
            return []
        keys = ((titles.key(name), title.year) for name in title.names)
        return next((self._named[key] for key in keys if key in self._named), [])


def _facts(film: Film) -> Facts:
    return Facts(title=film.title.title, year=film.title.year, genres=film.genres)
