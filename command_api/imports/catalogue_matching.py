"""Matching of catalogue lines to movies of the catalogue.

A line is matched to, in this order:

1. the movie with the line's own id, or that an earlier import matched to this id;
2. the movie with one of the line's external ids;
3. the movie of another source with its title and year, unless an earlier line is that movie, or
   cast or external ids contradict. Of several, the only one that shares a cast member.

Otherwise it is a new movie under its own id, and ``ambiguous`` if several movies were left: a
duplicate can be withdrawn, a wrong match can't be undone. So two lines are two movies, however
alike, unless an external id says that they are one; then the second line is an error of the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from django.db import connection

from command_api.catalogue import inline_projection, models, title_keys
from command_api.catalogue.decider import AddMovie, ExternalId, MovieFacts
from command_api.catalogue.id_allocation import LAST_FILE_ID
from command_api.catalogue.models import CATALOGUE, WIKIPEDIA
from command_api.catalogue.title_candidates import (
    TitleAndYear,
    TitleCandidate,
    candidates_by_title,
    plausible,
)

# One array parameter per column: with one per value, parsing the statement takes longest.
_LINKED = """
SELECT source, value, movie_id FROM external_ids
JOIN unnest(%s::text[], %s::text[]) AS wanted (source, value) USING (source, value)
"""

How: TypeAlias = Literal["there", "matched", "ambiguous", "added"]


class CatalogueMatch(NamedTuple):
    """The movie of a line; ``ambiguous`` means that it could be several and is added."""

    command: AddMovie
    how: How
    conflicting_ids: Sequence[ExternalId]
    """External ids that belong to another movie; left out."""
    candidates: Sequence[int]
    """Ids of the movies that it could be, if there are several."""


@dataclass
class CatalogueMatcher:
    """The movies that a batch of lines could be; each match is added."""

    line_of: dict[int, int]
    """Line number by movie id and by the line's own id, for all lines so far."""
    own_ids: set[int] = field(default_factory=set)
    """Ids of lines that are ids of movies."""
    linked: dict[ExternalId, int] = field(default_factory=dict)
    named: dict[TitleAndYear, list[TitleCandidate]] = field(default_factory=dict)
    """Movies of other sources by title and year."""
    facts: dict[int, MovieFacts] = field(default_factory=dict)
    """Facts of the movies that lines with a new id could be."""
    sources: dict[int, frozenset[str]] = field(default_factory=dict)
    """Sources that those movies have ids of."""

    def match(self, command: AddMovie, line: int) -> CatalogueMatch:
        """The line's movie; raises ValueError when an earlier line is that movie."""
        own_id = command.movie_id
        if own_id in self.line_of:
            raise ValueError(f"id {own_id} was on line {self.line_of[own_id]} already")
        links = (*command.external_ids, _own(command))
        self._refuse_matched(links)
        movie_id, how, candidates = self._recognise(command)
        wanted = links if movie_id != own_id else command.external_ids
        movie_links = tuple(link for link in wanted if self.linked.get(link, movie_id) == movie_id)
        self.linked |= dict.fromkeys(_exclusive(movie_links), movie_id)
        self.line_of[own_id] = self.line_of[movie_id] = line
        facts = self._completed(command.facts, movie_id) if movie_id != own_id else command.facts
        conflicting_ids = [link for link in wanted if link not in movie_links]
        return CatalogueMatch(
            AddMovie(movie_id, facts, movie_links), how, conflicting_ids, candidates
        )

    def _refuse_matched(self, links: Sequence[ExternalId]) -> None:
        for source, value in _identifying(links):
            movie_id = self.linked.get((source, value))
            if movie_id in self.line_of:
                raise ValueError(
                    f"{source} {value} belongs to movie {movie_id},"
                    f" which was on line {self.line_of[movie_id]}"
                )

    def _recognise(self, command: AddMovie) -> tuple[int, How, Sequence[int]]:
        if command.movie_id in self.own_ids:
            return command.movie_id, "there", ()
        if movie_id := self.linked.get(_own(command)):
            return movie_id, "there", ()
        candidates = self._by_external_id(command) or self._by_name(command)
        if len(candidates) == 1:
            return candidates[0], "matched", ()
        return command.movie_id, "ambiguous" if candidates else "added", candidates

    def _by_external_id(self, command: AddMovie) -> Sequence[int]:
        links = (link for link in _identifying(command.external_ids) if link in self.linked)
        return sorted({self.linked[link] for link in links})

    def _by_name(self, command: AddMovie) -> Sequence[int]:
        if not self.named:
            return ()
        same_title = (each for name in _names(command) for each in self.named.get(name, ()))
        sources = {source for source, _ in _identifying(command.external_ids)}
        # A movie with another id of the same source is another movie.
        free = [
            each
            for each in same_title
            if each.movie_id not in self.line_of and self.sources[each.movie_id].isdisjoint(sources)
        ]
        return sorted(each.movie_id for each in plausible(free, frozenset(command.facts.cast)))

    def _completed(self, facts: MovieFacts, movie_id: int) -> MovieFacts:
        """Keep what the line lacks."""
        present = self.facts[movie_id]
        return replace(
            facts,
            year=facts.year or present.year,
            genres=facts.genres or present.genres,
            cast=facts.cast or present.cast,
        )


def matcher_for(commands: Sequence[AddMovie], line_of: dict[int, int]) -> CatalogueMatcher:
    """Load what matching these lines needs, in a fixed number of queries."""
    matcher = CatalogueMatcher(line_of)
    own_ids = [command.movie_id for command in commands]
    matcher.own_ids.update(models.Movie.objects.filter(pk__in=own_ids).values_list("pk", flat=True))
    new = [command for command in commands if command.movie_id not in matcher.own_ids]
    links = {link for command in commands for link in _exclusive(command.external_ids)}
    matcher.linked = _linked({*links, *map(_own, new)})
    # Movies of files are matched by their ids, never by title.
    of_others = models.Movie.objects.filter(pk__gt=LAST_FILE_ID)
    matcher.named = candidates_by_title(
        (name for command in new for name in _names(command)),
        among=of_others.exclude(external_ids__source=CATALOGUE),
    )
    could_be = {each.movie_id for group in matcher.named.values() for each in group}
    could_be |= {
        matcher.linked[link]
        for command in new
        for link in (*command.external_ids, _own(command))
        if link in matcher.linked
    }
    movies = inline_projection.movie_states(could_be) if could_be else {}
    matcher.facts = {movie_id: movie.facts for movie_id, movie in movies.items() if movie.facts}
    matcher.sources = {
        movie_id: frozenset(source for source, _ in movie.external_ids)
        for movie_id, movie in movies.items()
    }
    return matcher


def _linked(wanted: set[ExternalId]) -> dict[ExternalId, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [[source for source, _ in wanted], [value for _, value in wanted]])
        return {(source, value): movie_id for source, value, movie_id in cursor.fetchall()}


def _own(command: AddMovie) -> ExternalId:
    return CATALOGUE, str(command.movie_id)


def _exclusive(links: Sequence[ExternalId]) -> Iterator[ExternalId]:
    """Without Wikipedia pages: one may be about several movies."""
    return (link for link in links if link[0] != WIKIPEDIA)


def _identifying(links: Sequence[ExternalId]) -> Iterator[ExternalId]:
    """Those that tell a movie: each MovieLens data set numbers films anew."""
    return (link for link in _exclusive(links) if not models.is_film_number(link[0]))


def _names(command: AddMovie) -> Sequence[TitleAndYear]:
    """Empty without a year: the title alone does not identify a movie."""
    facts = command.facts
    return [(title_keys.key(facts.title), facts.year)] if facts.year else []
