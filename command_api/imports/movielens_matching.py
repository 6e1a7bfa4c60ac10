"""Matching of MovieLens films to movies of the catalogue.

A film is matched to, in this order:

1. ``there``: the movie that is linked to the film's number of the same data set, if one of its
   titles was the film's, in the same year or the one before or after. Otherwise the number was
   another film's: this one is matched by what follows, and linked by number and name;
2. ``matched``: the movie with one of its external ids, with its title and year, or the only one of
   its year whose title differs in blanks and an article only. ``ambiguous`` if several have its
   title and year (the lowest id is taken); ``double`` if the movie is linked to another film;
3. ``near``: the only movie with its title a year before or after, unless the title is short or the
   movie is another film of the same files;
4. ``added``: a new movie, if none of these exists.

Withdrawn movies are matched, too, so that they aren't added again, but by title only where no
other movie has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from command_api.catalogue import title_keys
from command_api.catalogue.decider import AddMovie, ExternalId, LinkMovie, MovieCommand, MovieFacts
from command_api.catalogue.models import MOVIELENS
from command_api.imports.movielens_reader import MovieLensFilm
from command_api.imports.movielens_titles import ParsedTitle

LooseTitle: TypeAlias = tuple[str, int | None]
"""A title without differences of spelling, and the year."""

How: TypeAlias = Literal["there", "double", "ambiguous", "matched", "near", "added"]

_LONGEST_ID = 500
DISTINCTIVE_LETTERS = 8
"""Letters that make a title identify a movie of another year: many films are called "Fear"."""


class MovieLensMatch(NamedTuple):
    """The movie of a film, and the commands that record the match."""

    movie_id: int
    how: How
    commands: Sequence[MovieCommand]
    conflicting_ids: Sequence[ExternalId]
    """External ids that belong to another movie; left out."""
    candidates: Sequence[int] = ()
    """Ids of the movies that it could be, if there are several."""


@dataclass
class MovieLensMatcher:
    """All movies by external id and by title and year; each match is added."""

    next_id: int
    source: str = MOVIELENS
    """Source of the data set's film numbers."""
    linked: dict[ExternalId, int] = field(default_factory=dict)
    _of_data_set: set[int] = field(default_factory=set)
    _of_files: set[int] = field(default_factory=set)
    _by_key: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    _by_loose_title: dict[LooseTitle, list[int]] = field(default_factory=dict)
    _former_titles: dict[int, set[LooseTitle]] = field(default_factory=dict)

    def add(self, movie_id: int, title: str, year: int | None) -> None:
        """Add a movie by title and year; without a year it can't be matched by title."""
        if year is not None:
            self._by_key.setdefault((title_keys.key(title), year), []).append(movie_id)
        self._by_loose_title.setdefault((title_keys.loose(title), year), []).append(movie_id)

    def add_former_title(self, movie_id: int, title: str, year: int | None) -> None:
        """Add a title that a movie once had: a film linked by it stays linked."""
        self._former_titles.setdefault(movie_id, set()).update(spellings(title, year))

    def add_withdrawn(self, movie_id: int, title: str, year: int | None) -> None:
        """Add a withdrawn movie. All others must have been added before."""
        if year is not None and (title_keys.key(title), year) not in self._by_key:
            self.add(movie_id, title, year)

    def link(self, movie_id: int, source: str, value: str) -> None:
        self.linked[source, value] = movie_id
        if source == self.source:
            self._of_data_set.add(movie_id)

    def expect(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> None:
        """Announce a film of the files: its movie is not matched to a film of another year."""
        self._of_files.update(self._by_id_or_title(film, list(other_ids.items())))

    def doubted(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> int | None:
        """The movie that is linked to the film's number, if the film does not look like it."""
        movie_id = self.linked.get(self._number(film))
        if movie_id is None or self._is_same(film, other_ids, movie_id):
            return None
        return movie_id

    def match(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> MovieLensMatch:
        links = (self._own_link(film, other_ids), *other_ids.items())
        movie_id, how, candidates = self._recognise(film, links)
        movie_links = [link for link in links if self.linked.get(link, movie_id) == movie_id]
        commands: list[MovieCommand] = []
        if how == "added":
            commands.append(AddMovie(movie_id, _facts(film), tuple(movie_links)))
            self.add(movie_id, film.title.title, film.title.year)
            self.next_id = movie_id + 1
        else:
            commands += [
                LinkMovie(movie_id, *link) for link in movie_links if link not in self.linked
            ]
            self._add_title(movie_id, film.title)
        for link in movie_links:
            self.link(movie_id, *link)
        conflicting_ids = [link for link in links if link not in movie_links]
        return MovieLensMatch(movie_id, how, commands, conflicting_ids, candidates)

    def _recognise(
        self, film: MovieLensFilm, links: Sequence[ExternalId]
    ) -> tuple[int, How, Sequence[int]]:
        own_link, *other_links = links
        if own_link in self.linked:
            return self.linked[own_link], "there", ()
        if same := self._by_id_or_title(film, other_links):
            movie_id = min(same)
            if movie_id in self._of_data_set:
                return movie_id, "double", ()
            return (movie_id, "ambiguous", same) if len(same) > 1 else (movie_id, "matched", ())
        near = self._by_adjacent_year(film.title)
        if len(near) == 1 and not self._is_taken(near[0]) and _is_distinctive(film.title):
            return near[0], "near", ()
        return self.next_id, "added", near

    def _own_link(self, film: MovieLensFilm, other_ids: Mapping[str, str]) -> ExternalId:
        source, number = self._number(film)
        if self.doubted(film, other_ids) is None:
            return source, number
        return source, f"{number} {film.title.title} ({film.title.year})"[:_LONGEST_ID]

    def _number(self, film: MovieLensFilm) -> ExternalId:
        return self.source, str(film.movielens_id)

    def _is_same(self, film: MovieLensFilm, other_ids: Mapping[str, str], movie_id: int) -> bool:
        if movie_id in self._by_id_or_title(film, list(other_ids.items())):
            return True
        titles = similar_titles(film.title)
        return any(movie_id in self._by_loose_title.get(title, ()) for title in titles) or (
            not titles.isdisjoint(self._former_titles.get(movie_id, ()))
        )

    def _by_id_or_title(
        self, film: MovieLensFilm, other_ids: Sequence[ExternalId]
    ) -> Sequence[int]:
        by_id = [self.linked[link] for link in other_ids if link in self.linked][:1]
        return by_id or self._by_title(film.title)

    def _by_title(self, title: ParsedTitle) -> Sequence[int]:
        if title.year is None:
            return []
        keys = ((title_keys.key(name), title.year) for name in title.names)
        if same := next((self._by_key[key] for key in keys if key in self._by_key), []):
            return same
        keys = ((title_keys.loose(name), title.year) for name in title.names)
        loose = next((self._by_loose_title[key] for key in keys if key in self._by_loose_title), [])
        return loose if len(loose) == 1 else []

    def _by_adjacent_year(self, title: ParsedTitle) -> Sequence[int]:
        if title.year is None:
            return []
        # The first two names are the title with and without its brackets.
        keys = {title_keys.key(name) for name in title.names[:2]}
        years = (title.year - 1, title.year + 1)
        return [
            id_ for key in sorted(keys) for y in years for id_ in self._by_key.get((key, y), ())
        ]

    def _is_taken(self, movie_id: int) -> bool:
        return movie_id in self._of_files or movie_id in self._of_data_set

    def _add_title(self, movie_id: int, title: ParsedTitle) -> None:
        """Let another film with the same title match the same movie."""
        if title.year is not None and (title_keys.key(title.title), title.year) not in self._by_key:
            self.add(movie_id, title.title, title.year)


def similar_titles(title: ParsedTitle) -> frozenset[LooseTitle]:
    """Titles of the movies that the film of a known number can be."""
    # A year may have been unknown, or corrected by one.
    years = (None,) if title.year is None else (None, title.year - 1, title.year, title.year + 1)
    return frozenset(
        same for name in title.names for year in years for same in spellings(name, year)
    )


def spellings(title: str, year: int | None) -> tuple[LooseTitle, LooseTitle]:
    """The title without its blanks, and without the order of its words: articles move."""
    return (title_keys.loose(title), year), (" ".join(sorted(title_keys.key(title).split())), year)


def _is_distinctive(title: ParsedTitle) -> bool:
    return all(len(title_keys.loose(name)) >= DISTINCTIVE_LETTERS for name in title.names[:2])


def _facts(film: MovieLensFilm) -> MovieFacts:
    return MovieFacts(title=film.title.title, year=film.title.year, genres=film.genres)
