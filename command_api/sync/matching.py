"""Matching of TMDb films to movies of the catalogue.

A film is matched to, in this order:

1. the movie that is linked to it;
2. the movie with its IMDb id, as when TMDb merged a film into another. IMDb ids are typed by hand:
   while the movie's own film exists, a title or a cast member must match, too;
3. the movie with its title and year that is linked to no film of TMDb, unless the casts contradict.
   Of several, the only one that shares a cast member.

Otherwise it is a new movie with an id derived from TMDb's (docs/adr/0015), and ``ambiguous`` if
several movies were left: a duplicate can be withdrawn, a wrong match can't be undone. Withdrawn
movies are matched, too, so that they aren't added again, but by title only where no other has it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from command_api.catalogue import models, title_keys
from command_api.catalogue.decider import ExternalId
from command_api.catalogue.external_ids import readable_ids
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import IMDB, TMDB
from command_api.catalogue.title_candidates import (
    TitleAndYear,
    TitleCandidate,
    candidates_by_title,
    casts_of,
    plausible,
)
from command_api.catalogue.tmdb.schemas import FilmResponse
from command_api.sync.mapping import LONGEST_TITLE, clean, released_on

How: TypeAlias = Literal["there", "matched", "ambiguous", "added"]

_LONGEST_ID = 9


class MovieProfile(NamedTuple):
    """A movie's titles with year, and its cast."""

    names: frozenset[TitleAndYear]
    cast: frozenset[str]


class TmdbMatch(NamedTuple):
    """The movie of a film; ``ambiguous`` means that it could be several and is added."""

    movie_id: int
    how: How
    links: Sequence[ExternalId]
    """External ids, without those that belong to another movie."""


@dataclass
class TmdbMatcher:
    """The movies that a batch of films could be; each match is added."""

    linked: dict[ExternalId, int] = field(default_factory=dict)
    of_tmdb: set[int] = field(default_factory=set)
    """Movies that are linked to a film of TMDb."""
    film_exists: set[int] = field(default_factory=set)
    """Movies of ``of_tmdb`` whose film is not known to be gone."""
    profiles: dict[int, MovieProfile] = field(default_factory=dict)
    """Profiles of movies with a matching IMDb id whose film exists."""
    named: dict[TitleAndYear, list[TitleCandidate]] = field(default_factory=dict)

    def match(self, film: FilmResponse) -> TmdbMatch:
        links = _links(film)
        movie_id, how = self._recognise(film, links)
        movie_links = [link for link in links if self.linked.get(link, movie_id) == movie_id]
        self.linked |= dict.fromkeys(movie_links, movie_id)
        self.of_tmdb.add(movie_id)
        self.film_exists.add(movie_id)
        return TmdbMatch(movie_id, how, movie_links)

    def _recognise(self, film: FilmResponse, links: Sequence[ExternalId]) -> tuple[int, How]:
        own_link, *other_links = links
        if own_link in self.linked:
            return self.linked[own_link], "there"
        if same := next((self.linked[link] for link in other_links if link in self.linked), 0):
            if same not in self.film_exists or self._resembles(same, film):
                return same, "matched"
            return TMDB_BASE + film.id, "ambiguous"
        candidates = self._by_title(film)
        if len(candidates) == 1:
            return candidates[0].movie_id, "matched"
        return TMDB_BASE + film.id, "ambiguous" if candidates else "added"

    def _resembles(self, movie_id: int, film: FilmResponse) -> bool:
        profile = self.profiles.get(movie_id)
        if profile is None:
            return False
        cast = (member.name for member in film.credits.cast)
        return not (profile.names.isdisjoint(_names(film)) and profile.cast.isdisjoint(cast))

    def _by_title(self, film: FilmResponse) -> list[TitleCandidate]:
        cast = frozenset(member.name for member in film.credits.cast)
        same_title = [each for name in _names(film) for each in self.named.get(name, ())]
        unlinked = {each for each in same_title if each.movie_id not in self.of_tmdb}
        return plausible(unlinked, cast)


def matcher_for(films: Sequence[FilmResponse]) -> TmdbMatcher:
    """Load what matching these films needs, in a fixed number of queries."""
    values = [value for film in films for _, value in _links(film)]
    links = models.ExternalId.objects.filter(source__in=(TMDB, IMDB), value__in=values)
    matcher = TmdbMatcher()
    for source, value, movie in links.values_list("source", "value", "movie"):
        matcher.linked[source, value] = movie
    names = (name for film in films for name in _names(film))
    matcher.named = candidates_by_title(names, among=models.Movie.objects.all())
    candidates = {each.movie_id for group in matcher.named.values() for each in group}
    by_imdb = {movie for (source, _), movie in matcher.linked.items() if source == IMDB}
    of_tmdb = models.ExternalId.objects.filter(source=TMDB, movie__in=candidates | by_imdb)
    films_of = list(of_tmdb.values_list("movie", "value"))
    matcher.of_tmdb = {movie for movie, _ in films_of}
    gone = _gone(value for movie, value in films_of if movie in by_imdb)
    matcher.film_exists = {movie for movie, value in films_of if value not in gone}
    matcher.profiles = _profiles(by_imdb & matcher.film_exists)
    return matcher


def _gone(values: Iterable[str]) -> set[str]:
    ids = [int(value) for value in values if value.isdecimal() and len(value) <= _LONGEST_ID]
    gone = models.TmdbFilm.objects.filter(pk__in=ids).exclude(gone_at=None)
    return {str(tmdb_id) for tmdb_id in gone.values_list("pk", flat=True)}


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
    links += readable_ids({IMDB: film.external_ids.imdb_id}, report=lambda _: None)
    return links


def _names(film: FilmResponse) -> list[TitleAndYear]:
    """Title keys with year; empty without a year: the title alone does not identify a movie."""
    if (released := released_on(film)) is None:
        return []
    titles = (clean(title or "", LONGEST_TITLE) for title in (film.title, film.original_title))
    return list(dict.fromkeys((title_keys.key(title), released.year) for title in titles if title))
