"""Which of our movies are the films that MovieLens names?

In this order: one that is linked to the film already, one that shares an id of another source,
one with the same title and year; the only one of that year whose title differs in no more than
blanks and an article; the only one with the same title a year before or after, unless the title is
short, or the movie is another film of the same files. When several have an id or title and year,
the one with the lowest id. What is none of them is new. A double is a film that another of
MovieLens' own ids is already. A movie that is withdrawn is recognised, too, so that it isn't added
again, but by title only where no other has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from command_api.catalogue import title_keys
from command_api.catalogue.decider import AddMovie, ExternalId, LinkMovie, MovieCommand, MovieFacts
from command_api.imports.movielens_reader import MovieLensFilm
from command_api.imports.movielens_titles import ParsedTitle

MOVIELENS = "movielens"

How: TypeAlias = Literal["there", "double", "ambiguous", "matched", "near", "added"]

TELLING = 8
"""So many letters make a title say enough when the year is another: "Fear" is many films'."""


class MovieLensMatch(NamedTuple):
    """What a film is to us, and what has to be said so that the log knows it, too."""

    movie_id: int
    how: How
    commands: Sequence[MovieCommand]
    taken: Sequence[ExternalId]
    """Ids of other sources that belong to another movie."""
    possible: Sequence[int] = ()
    """Movies of ours that it could be, if there are several."""


@dataclass
class MovieLensMatcher:
    """The movies as far as recognising them goes; grows with each film that is found."""

    next_id: int
    linked: dict[ExternalId, int] = field(default_factory=dict)
    _of_movielens: set[int] = field(default_factory=set)
    _expected: set[int] = field(default_factory=set)
    _named: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    _loosely: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def add(self, movie_id: int, title: str, year: int | None) -> None:
        """Know a movie by title and year; without a year it can't be told from its namesakes."""
        if year is not None:
            self._named.setdefault((title_keys.key(title), year), []).append(movie_id)
            self._loosely.setdefault((title_keys.loose(title), year), []).append(movie_id)

    def add_withdrawn(self, movie_id: int, title: str, year: int | None) -> None:
        """Know one that is shown no more, when all that are shown are known."""
        if year is not None and (title_keys.key(title), year) not in self._named:
            self.add(movie_id, title, year)

    def link(self, movie_id: int, source: str, value: str) -> None:
        """Know a movie by what another source calls it."""
        self.linked[source, value] = movie_id
        if source == MOVIELENS:
            self._of_movielens.add(movie_id)

    def expect(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> None:
        """It will be asked for: its movie is not to be taken for a film of another year."""
        self._expected.update(self._same(film, list(other_ids.items())))

    def find(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> MovieLensMatch:
        """The film's movie, which is known to be it from now on."""
        links = ((MOVIELENS, str(film.movielens_id)), *other_ids.items())
        movie_id, how, possible = self._recognise(film, links)
        ours = [link for link in links if self.linked.get(link, movie_id) == movie_id]
        commands: list[MovieCommand] = []
        if how == "added":
            commands.append(AddMovie(movie_id, _facts(film), tuple(ours)))
            self.add(movie_id, film.title.title, film.title.year)
            self.next_id = movie_id + 1
        else:
            commands += [LinkMovie(movie_id, *link) for link in ours if link not in self.linked]
            self._call(movie_id, film.title)
        for link in ours:
            self.link(movie_id, *link)
        taken = [link for link in links if link not in ours]
        return MovieLensMatch(movie_id, how, commands, taken, possible)

    def _recognise(
        self, film: MovieLensFilm, links: Sequence[ExternalId]
    ) -> tuple[int, How, Sequence[int]]:
        mine, *others = links
        if mine in self.linked:
            return self.linked[mine], "there", ()
        if same := self._same(film, others):
            movie_id = min(same)
            if movie_id in self._of_movielens:
                return movie_id, "double", ()
            return (movie_id, "ambiguous", same) if len(same) > 1 else (movie_id, "matched", ())
        near = self._of_another_year(film.title)
        if len(near) == 1 and not self._is_taken(near[0]) and _is_telling(film.title):
            return near[0], "near", ()
        return self.next_id, "added", near

    def _same(self, film: MovieLensFilm, other_ids: Sequence[ExternalId]) -> Sequence[int]:
        by_id = [self.linked[link] for link in other_ids if link in self.linked][:1]
        return by_id or self._namesakes(film.title)

    def _namesakes(self, title: ParsedTitle) -> Sequence[int]:
        if title.year is None:
            return []
        keys = ((title_keys.key(name), title.year) for name in title.names)
        if same := next((self._named[key] for key in keys if key in self._named), []):
            return same
        keys = ((title_keys.loose(name), title.year) for name in title.names)
        like = next((self._loosely[key] for key in keys if key in self._loosely), [])
        return like if len(like) == 1 else []

    def _of_another_year(self, title: ParsedTitle) -> Sequence[int]:
        if title.year is None:
            return []
        # The first two are the title, with and without what stands in brackets.
        keys = {title_keys.key(name) for name in title.names[:2]}
        years = (title.year - 1, title.year + 1)
        return [id_ for key in sorted(keys) for y in years for id_ in self._named.get((key, y), ())]

    def _is_taken(self, movie_id: int) -> bool:
        return movie_id in self._expected or movie_id in self._of_movielens

    def _call(self, movie_id: int, title: ParsedTitle) -> None:
        """Another of MovieLens' ids with the same words is the same movie."""
        if title.year is not None and (title_keys.key(title.title), title.year) not in self._named:
            self.add(movie_id, title.title, title.year)


def _is_telling(title: ParsedTitle) -> bool:
    return all(len(title_keys.loose(name)) >= TELLING for name in title.names[:2])


def _facts(film: MovieLensFilm) -> MovieFacts:
    return MovieFacts(title=film.title.title, year=film.title.year, genres=film.genres)
