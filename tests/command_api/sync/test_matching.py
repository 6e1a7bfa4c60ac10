"""Matching of TMDb films: by link, IMDb id, title and cast."""

import pytest

from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.title_candidates import TitleCandidate
from command_api.catalogue.tmdb.schemas import CastMember, Credits, ExternalIds, FilmResponse
from command_api.sync.matching import MovieProfile, TmdbMatch, TmdbMatcher

HEAT, REMAKE = 7, 8
NAME = ("heat", 1995)


def film(film_id=949, *cast, title="Heat", imdb=None, released="1995-12-15", original=None):
    return FilmResponse(
        id=film_id,
        title=title,
        original_title=original,
        release_date=released,
        genres=(),
        credits=Credits(cast=tuple(CastMember(name) for name in cast)),
        external_ids=ExternalIds(imdb_id=imdb),
    )


def matcher(*candidates, linked=None):
    return TmdbMatcher(linked=dict(linked or {}), named={NAME: list(candidates)})


def candidate(movie_id, *cast, is_withdrawn=False):
    return TitleCandidate(movie_id, frozenset(cast), is_withdrawn)


@pytest.mark.parametrize(
    ("what", "movies", "movie_id", "how"),
    [
        (film(), matcher(), TMDB_BASE + 949, "added"),
        (film(), matcher(linked={("tmdb", "949"): HEAT}), HEAT, "there"),
        (film(imdb="tt0000001"), matcher(linked={("imdb", "tt0000001"): HEAT}), HEAT, "matched"),
        (film(), matcher(candidate(HEAT)), HEAT, "matched"),
        (film(949, "Al Pacino"), matcher(candidate(HEAT, "Al Pacino")), HEAT, "matched"),
        (film(949, "Al Pacino"), matcher(candidate(HEAT, "Nobody")), TMDB_BASE + 949, "added"),
        (film(), matcher(candidate(HEAT), candidate(REMAKE)), TMDB_BASE + 949, "ambiguous"),
        (film(949, "Al"), matcher(candidate(HEAT, "Al"), candidate(REMAKE, "Bo")), HEAT, "matched"),
        (film(949, "Al"), matcher(candidate(HEAT, "Al"), candidate(REMAKE)), HEAT, "matched"),
        (film(), matcher(candidate(HEAT, is_withdrawn=True)), HEAT, "matched"),
        (film(), matcher(candidate(HEAT, is_withdrawn=True), candidate(REMAKE)), REMAKE, "matched"),
        (film(title="HEÄT!"), matcher(candidate(HEAT)), HEAT, "matched"),
        (film(title="Hitze", original="Heat"), matcher(candidate(HEAT)), HEAT, "matched"),
        (film(released=""), matcher(candidate(HEAT)), TMDB_BASE + 949, "added"),
        (film(released="1996-01-01"), matcher(candidate(HEAT)), TMDB_BASE + 949, "added"),
    ],
)
def test_film_is_matched_by_link_id_title_and_cast(what, movies, movie_id, how):
    assert movies.match(what)[:2] == (movie_id, how)


NAMES = frozenset({NAME})


@pytest.mark.parametrize(
    ("what", "profile", "movie_id", "how"),
    [
        (film(title="Else", imdb="tt0000001"), None, TMDB_BASE + 949, "ambiguous"),
        (
            film(title="Else", imdb="tt0000001"),
            MovieProfile(NAMES, frozenset()),
            TMDB_BASE + 949,
            "ambiguous",
        ),
        (film(imdb="tt0000001"), MovieProfile(NAMES, frozenset()), HEAT, "matched"),
        (
            film(949, "Al", title="Else", imdb="tt0000001"),
            MovieProfile(NAMES, frozenset({"Al"})),
            HEAT,
            "matched",
        ),
    ],
)
def test_imdb_id_alone_does_not_match_while_the_movies_film_exists(what, profile, movie_id, how):
    movies = matcher(linked={("imdb", "tt0000001"): HEAT})
    movies.film_exists.add(HEAT)
    if profile:
        movies.profiles[HEAT] = profile
    assert movies.match(what)[:2] == (movie_id, how)


def test_movie_of_one_film_is_not_matched_to_a_second():
    movies = matcher(candidate(HEAT))
    assert movies.match(film(949)).how == "matched"
    assert movies.match(film(950))[:2] == (TMDB_BASE + 950, "added")


@pytest.mark.parametrize("imdb", ["tt0113277", "TT0113277", "0113277", " tt113277"])
def test_imdb_id_of_tmdb_is_matched_in_its_normal_form(imdb):
    movies = matcher(linked={("imdb", "tt0113277"): HEAT})
    assert movies.match(film(imdb=imdb)).links == [("tmdb", "949"), ("imdb", "tt0113277")]


@pytest.mark.parametrize("imdb", [None, "", "nm0000199", "tt\x00", "tt" + "1" * 600])
def test_unreadable_imdb_id_of_tmdb_is_left_out(imdb):
    assert matcher().match(film(imdb=imdb)).links == [("tmdb", "949")]


def test_external_id_of_another_movie_is_left_out():
    movies = matcher(linked={("tmdb", "949"): HEAT, ("imdb", "tt0000001"): REMAKE})
    assert movies.match(film(imdb="tt0000001")) == TmdbMatch(HEAT, "there", [("tmdb", "949")])
