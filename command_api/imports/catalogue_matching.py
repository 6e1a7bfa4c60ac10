"""Which of our movies does a line of a catalogue file mean?

In this order: the one with the line's own id, or with which a line of this id was found to be one
before; the one with an id of another source that the line has; the one that came from another
source with its title and year, if no line was found to be it and nothing in their casts or their
ids of other sources says otherwise. When several are left, the one that shares somebody with it;
when that tells nothing, none: a double can be withdrawn, a wrong match can't be taken back. What is
none of ours is new, under the line's own id. So two lines are two movies, however alike, unless
another source's id says that they are one: then the second is an error of the file.
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
    possible,
)

# A parameter a column: with one for each value the statement itself takes longest.
_LINKED = """
SELECT source, value, movie_id FROM external_ids
JOIN unnest(%s::text[], %s::text[]) AS wanted (source, value) USING (source, value)
"""

How: TypeAlias = Literal["there", "matched", "ambiguous", "added"]


class CatalogueMatch(NamedTuple):
    """What a line says of which movie; ambiguous: it could be several, and so is added."""

    command: AddMovie
    how: How
    taken: Sequence[ExternalId]
    """Ids of other sources that belong to another movie: left out."""
    possible: Sequence[int]
    """Movies of ours that it could be, if there are several."""


@dataclass
class CatalogueMatcher:
    """The movies as far as recognising some lines goes; grows with each that is recognised."""

    line_of: dict[int, int]
    """Which line of the file was a movie's, or had an id of its own: all lines until now."""
    there: set[int] = field(default_factory=set)
    """Ids of lines that are ids of movies."""
    linked: dict[ExternalId, int] = field(default_factory=dict)
    named: dict[TitleAndYear, list[TitleCandidate]] = field(default_factory=dict)
    """Those of another source."""
    facts: dict[int, MovieFacts] = field(default_factory=dict)
    """Of the movies that lines with an id that is none of ours could be."""
    sources: dict[int, frozenset[str]] = field(default_factory=dict)
    """Which sources those have ids of."""

    def find(self, command: AddMovie, line: int) -> CatalogueMatch:
        """The line's movie; raises ValueError when an earlier line was that movie."""
        own_id = command.movie_id
        if own_id in self.line_of:
            raise ValueError(f"id {own_id} was on line {self.line_of[own_id]} already")
        links = (*command.external_ids, _own(command))
        self._refuse_told(links)
        movie_id, how, could_be = self._recognise(command)
        wanted = links if movie_id != own_id else command.external_ids
        ours = tuple(link for link in wanted if self.linked.get(link, movie_id) == movie_id)
        self.linked |= dict.fromkeys(_identifying(ours), movie_id)
        self.line_of[own_id] = self.line_of[movie_id] = line
        facts = self._completed(command.facts, movie_id) if movie_id != own_id else command.facts
        taken = [link for link in wanted if link not in ours]
        return CatalogueMatch(AddMovie(movie_id, facts, ours), how, taken, could_be)

    def _refuse_told(self, links: Sequence[ExternalId]) -> None:
        for source, value in links:
            movie_id = self.linked.get((source, value))
            if movie_id in self.line_of:
                raise ValueError(
                    f"{source} {value} belongs to movie {movie_id},"
                    f" which was on line {self.line_of[movie_id]}"
                )

    def _recognise(self, command: AddMovie) -> tuple[int, How, Sequence[int]]:
        if command.movie_id in self.there:
            return command.movie_id, "there", ()
        if before := self.linked.get(_own(command)):
            return before, "there", ()
        found = self._by_external_id(command) or self._by_name(command)
        if len(found) == 1:
            return found[0], "matched", ()
        return command.movie_id, "ambiguous" if found else "added", found

    def _by_external_id(self, command: AddMovie) -> Sequence[int]:
        links = (link for link in command.external_ids if link in self.linked)
        return sorted({self.linked[link] for link in links})

    def _by_name(self, command: AddMovie) -> Sequence[int]:
        if not self.named:
            return ()
        called = (each for name in _names(command) for each in self.named.get(name, ()))
        named_by = {source for source, _ in _identifying(command.external_ids)}
        # With another id of a source than the line has it is another movie.
        free = [
            each
            for each in called
            if each.movie_id not in self.line_of
            and self.sources[each.movie_id].isdisjoint(named_by)
        ]
        return sorted(each.movie_id for each in possible(free, frozenset(command.facts.cast)))

    def _completed(self, facts: MovieFacts, movie_id: int) -> MovieFacts:
        """What the line says nothing of stays as another source said it."""
        known = self.facts[movie_id]
        return replace(
            facts,
            year=facts.year or known.year,
            genres=facts.genres or known.genres,
            cast=facts.cast or known.cast,
        )


def matcher_for(commands: Sequence[AddMovie], line_of: dict[int, int]) -> CatalogueMatcher:
    """What has to be known to recognise these, in a few questions."""
    known = CatalogueMatcher(line_of)
    own_ids = [command.movie_id for command in commands]
    known.there.update(models.Movie.objects.filter(pk__in=own_ids).values_list("pk", flat=True))
    new = [command for command in commands if command.movie_id not in known.there]
    links = {link for command in commands for link in _identifying(command.external_ids)}
    known.linked = _linked({*links, *map(_own, new)})
    # Movies of files have ids of their own, which say more than their titles.
    of_others = models.Movie.objects.filter(pk__gt=LAST_FILE_ID)
    known.named = candidates_by_title(
        (name for command in new for name in _names(command)),
        among=of_others.exclude(external_ids__source=CATALOGUE),
    )
    could_be = {each.movie_id for called in known.named.values() for each in called}
    could_be |= {
        known.linked[link]
        for command in new
        for link in (*command.external_ids, _own(command))
        if link in known.linked
    }
    movies = inline_projection.movie_states(could_be) if could_be else {}
    known.facts = {movie_id: movie.facts for movie_id, movie in movies.items() if movie.facts}
    known.sources = {
        movie_id: frozenset(source for source, _ in movie.external_ids)
        for movie_id, movie in movies.items()
    }
    return known


def _linked(wanted: set[ExternalId]) -> dict[ExternalId, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, [[source for source, _ in wanted], [value for _, value in wanted]])
        return {(source, value): movie_id for source, value, movie_id in cursor.fetchall()}


def _own(command: AddMovie) -> ExternalId:
    return CATALOGUE, str(command.movie_id)


def _identifying(links: Sequence[ExternalId]) -> Iterator[ExternalId]:
    """A page of Wikipedia may be about several movies."""
    return (link for link in links if link[0] != WIKIPEDIA)


def _names(command: AddMovie) -> Sequence[TitleAndYear]:
    """Without a year it can't be told from its namesakes."""
    facts = command.facts
    return [(title_keys.key(facts.title), facts.year)] if facts.year else []
