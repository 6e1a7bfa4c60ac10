"""Which of our movies is a film of TMDb?

In this order: one that is linked to it already; one with its id at IMDb, which is how a film that
TMDb merged into another is found again (ids at IMDb are typed in by hand, so while our movie's own
film is still there, they must also have a name or somebody of the cast in common); the one with its
title and year, if it is linked to no film of TMDb and nothing in their casts says otherwise. When
several are left, the one that shares somebody with it; when that tells nothing, none: a double can
be withdrawn, a wrong match can't be taken back. One that is withdrawn is recognised, too, so that
it isn't added again, but by title only where no other is. What is none of ours is new, under an id
made of TMDb's (docs/adr/0015).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from command_api.catalogue import models, title_keys
from command_api.catalogue.decider import ExternalId
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import IMDB, TMDB
from command_api.catalogue.title_candidates import (
    TitleAndYear,
    TitleCandidate,
    candidates_by_title,
    casts_of,
    possible,
)
from command_api.catalogue.tmdb.schemas import FilmResponse
from command_api.sync.mapping import LONGEST_TITLE, clean, released_on

How: TypeAlias = Literal["there", "matched", "ambiguous", "added"]

_LONGEST_IMDB_ID, _LONGEST_ID = 20, 9


class MovieProfile(NamedTuple):
    """What a movie of ours is called, with its year, and who plays in it."""

    names: frozenset[TitleAndYear]
    cast: frozenset[str]


class TmdbMatch(NamedTuple):
    """What a film is to us; ambiguous: it could be several, and so was added."""

    movie_id: int
    how: How
    links: Sequence[ExternalId]
    """Its ids in other sources, without those that belong to another movie."""


@dataclass
class TmdbMatcher:
    """The movies as far as recognising some films goes; grows with each that is recognised."""

    linked: dict[ExternalId, int] = field(default_factory=dict)
    of_tmdb: set[int] = field(default_factory=set)
    """Movies with a film of TMDb."""
    still_there: set[int] = field(default_factory=set)
    """Those among them whose film is not known to be gone."""
    profiles: dict[int, MovieProfile] = field(default_factory=dict)
    """Of those that are linked."""
    named: dict[TitleAndYear, list[TitleCandidate]] = field(default_factory=dict)

    def find(self, film: FilmResponse) -> TmdbMatch:
        """The film's movie, which is known to be it from now on."""
        links = _links(film)
        movie_id, how = self._recognise(film, links)
        ours = [link for link in links if self.linked.get(link, movie_id) == movie_id]
        self.linked |= dict.fromkeys(ours, movie_id)
        self.of_tmdb.add(movie_id)
        self.still_there.add(movie_id)
        return TmdbMatch(movie_id, how, ours)

    def _recognise(self, film: FilmResponse, links: Sequence[ExternalId]) -> tuple[int, How]:
        mine, *others = links
        if mine in self.linked:
            return self.linked[mine], "there"
        if same := next((self.linked[link] for link in others if link in self.linked), 0):
            if same not in self.still_there or self._is_like(same, film):
                return same, "matched"
            return TMDB_BASE + film.id, "ambiguous"
        found = self._namesakes(film)
        if len(found) == 1:
            return found[0].movie_id, "matched"
        return TMDB_BASE + film.id, "ambiguous" if found else "added"

    def _is_like(self, movie_id: int, film: FilmResponse) -> bool:
        ours = self.profiles.get(movie_id)
        if ours is None:
            return False
        cast = (member.name for member in film.credits.cast)
        return not (ours.names.isdisjoint(_names(film)) and ours.cast.isdisjoint(cast))

    def _namesakes(self, film: FilmResponse) -> list[TitleCandidate]:
        cast = frozenset(member.name for member in film.credits.cast)
        called = [each for name in _names(film) for each in self.named.get(name, ())]
        free = {each for each in called if each.movie_id not in self.of_tmdb}
        return possible(free, cast)


def matcher_for(films: Sequence[FilmResponse]) -> TmdbMatcher:
    """What has to be known to recognise these, in a few questions."""
    values = [value for film in films for _, value in _links(film)]
    links = models.ExternalId.objects.filter(source__in=(TMDB, IMDB), value__in=values)
    known = TmdbMatcher()
    for source, value, movie in links.values_list("source", "value", "movie"):
        known.linked[source, value] = movie
    names = (name for film in films for name in _names(film))
    known.named = candidates_by_title(names, among=models.Movie.objects.all())
    candidates = {each.movie_id for called in known.named.values() for each in called}
    by_imdb = {movie for (source, _), movie in known.linked.items() if source == IMDB}
    of_tmdb = models.ExternalId.objects.filter(source=TMDB, movie__in=candidates | by_imdb)
    films_of = list(of_tmdb.values_list("movie", "value"))
    known.of_tmdb = {movie for movie, _ in films_of}
    gone = _gone(value for movie, value in films_of if movie in by_imdb)
    known.still_there = {movie for movie, value in films_of if value not in gone}
    known.profiles = _profiles(by_imdb & known.still_there)
    return known


def _gone(values: Iterable[str]) -> set[str]:
    ids = [int(value) for value in values if value.isdecimal() and len(value) <= _LONGEST_ID]
    found = models.TmdbFilm.objects.filter(pk__in=ids).exclude(gone_at=None)
    return {str(tmdb_id) for tmdb_id in found.values_list("pk", flat=True)}


def _profiles(movies: set[int]) -> dict[int, MovieProfile]:
    rows = models.Movie.objects.filter(pk__in=movies)
    casts = casts_of(movies)
    return {
        pk: MovieProfile(
            frozenset((title_keys.key(name), year) for name in (title, original) if name and year),
            frozenset(casts[pk]),
        )
        for pk, title, original, year in rows.values_list("pk", "title", "original_title", "year")
    }


def _links(film: FilmResponse) -> list[ExternalId]:
    links = [(TMDB, str(film.id))]
    imdb_id = film.external_ids.imdb_id
    if imdb_id and imdb_id.isprintable() and len(imdb_id) <= _LONGEST_IMDB_ID:
        links.append((IMDB, imdb_id))
    return links


def _names(film: FilmResponse) -> list[TitleAndYear]:
    """What it may be called here, with its year; nothing without one: others are called so, too."""
    if (released := released_on(film)) is None:
        return []
    titles = (clean(title or "", LONGEST_TITLE) for title in (film.title, film.original_title))
    return list(dict.fromkeys((title_keys.key(title), released.year) for title in titles if title))
