"""Query plans: each index is used by its query in a large catalogue."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from command_api.admin.full_text_search import rows_with_words
from command_api.admin.movies import NEWEST_MATCHES
from command_api.catalogue.models import (
    Casting,
    Credit,
    ExternalId,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    TmdbFilm,
    Translation,
    TrendEntry,
)

MOVIES = 50_000
FILLING = """
INSERT INTO movies (id, title, title_key, year, status)
    SELECT n, 'Movie ' || n, 'movie ' || n, 1900 + n %% 120, 'listed'
    FROM generate_series(1, %(n)s) n;
INSERT INTO people (id, name) SELECT n, 'Person ' || n FROM generate_series(1, 5000) n;
INSERT INTO keywords (name) SELECT 'word ' || n FROM generate_series(1, 5000) n;
INSERT INTO genres (name) VALUES ('Drama'), ('Horror');
INSERT INTO movie_genres (movie_id, genre_id, place)
    SELECT n, CASE WHEN n %% 500 = 0 THEN 'Horror' ELSE 'Drama' END, 1
    FROM generate_series(1, %(n)s) n;
INSERT INTO castings (movie_id, person_id, billing)
    SELECT n, 1 + n * 7 %% 5000, 1 FROM generate_series(1, %(n)s) n;
INSERT INTO credits (movie_id, person_id, job, place)
    SELECT n, 1 + n * 3 %% 5000, 'Director', 1 FROM generate_series(1, %(n)s) n;
INSERT INTO movie_keywords (movie_id, keyword_id, place)
    SELECT n, 'word ' || 1 + n %% 5000, 1 FROM generate_series(1, %(n)s) n;
INSERT INTO translations (movie_id, language, title)
    SELECT n, 'fr', 'Film ' || n FROM generate_series(1, %(n)s) n;
INSERT INTO external_ids (movie_id, source, value)
    SELECT n, 'tmdb', (n + 100)::text FROM generate_series(1, %(n)s) n;
INSERT INTO trend_observations (board, source, "window", observed_at)
    SELECT 'board ' || n, 'tmdb', 'day', now() FROM generate_series(1, 200) n;
INSERT INTO trend_entries (board_id, movie_id, rank)
    SELECT 'board ' || 1 + n / 100, n, 1 + n %% 100 FROM generate_series(1, 19899) n;
INSERT INTO tmdb_films (tmdb_id, fetched_at, wanted_at, gone_at, fault)
    SELECT n, now() - n * interval '1 second', CASE WHEN n %% 100 = 0 THEN now() END,
        CASE WHEN n %% 500 = 7 THEN now() END, CASE WHEN n %% 500 = 9 THEN 'no title' ELSE '' END
    FROM generate_series(1, %(n)s) n;
ANALYZE;
"""


@pytest.fixture(scope="module")
def plans(django_db_setup, django_db_blocker):
    """EXPLAIN of each query; the catalogue is rolled back afterwards."""
    with django_db_blocker.unblock():
        connection.set_autocommit(False)
        try:
            with connection.cursor() as cursor:
                cursor.execute(FILLING, {"n": MOVIES})
            lists = {name: question for name, (_, question) in LISTS.items()}
            yield {name: question.explain() for name, question in (QUESTIONS | lists).items()}
        finally:
            connection.rollback()
            connection.set_autocommit(True)
            connection.close()  # other tests must not use it


SOME = range(1000, 1050)
QUESTIONS: dict[str, QuerySet[Any, Any]] = {
    "movie_by_title_and_year": Movie.objects.filter(
        title_key__in=[f"movie {n}" for n in SOME], year__in=[1900 + n % 120 for n in SOME]
    ),
    "movie_newest_first": Movie.objects.order_by("-year", "-id")[:100],
    "external_id": ExternalId.objects.filter(
        source__in=("tmdb", "imdb"), value__in=[str(n) for n in SOME]
    ),
    "external_ids_movie_id": ExternalId.objects.filter(movie__in=SOME),
    "casting_billing": Casting.objects.filter(movie__in=SOME).order_by("movie", "billing"),
    "castings_person_id": Casting.objects.filter(person=7),
    "credit_place": Credit.objects.filter(movie__in=SOME).order_by("movie", "place"),
    "credits_person_id": Credit.objects.filter(person=7),
    "movie_keyword_": MovieKeyword.objects.filter(movie__in=SOME).order_by("movie", "place"),
    "movie_keywords_keyword_id": MovieKeyword.objects.filter(keyword="word 7"),
    "translation_once": Translation.objects.filter(movie__in=SOME),
    "trend_entry_": TrendEntry.objects.filter(board="board 7").order_by("rank"),
    "trend_entries_movie_id": TrendEntry.objects.filter(movie=7),
    "tmdb_films_wanted": TmdbFilm.objects.filter(wanted_at__isnull=False).order_by(
        "wanted_at", "tmdb_id"
    )[:50],
    "tmdb_films_oldest": TmdbFilm.objects.filter(
        Q(gone_at=None) | Q(gone_at__lt=datetime.now(UTC)), wanted_at=None
    ).order_by("fetched_at")[:50],
    "tmdb_films_gone": TmdbFilm.objects.filter(gone_at__isnull=False).order_by("tmdb_id")[:100],
    "tmdb_films_unreadable": TmdbFilm.objects.exclude(fault="").order_by("tmdb_id")[:100],
    "movie_by_words": rows_with_words(Movie.objects.all(), "title_key", "movie 471"),
    "people_by_words": rows_with_words(Person.objects.all(), "name", "471 per"),
    "movie_genres_genre_id": MovieGenre.objects.filter(genre="Horror"),
}
NEWEST = Movie.objects.order_by("-year", "-id").values_list("pk")
LISTS: dict[str, tuple[str, QuerySet[Any, Any]]] = {
    "newest first": ("movie_newest_first", NEWEST[:100]),
    "some pages on": ("movie_newest_first", NEWEST[1000:1100]),
    "of a decade": ("movie_newest_first", NEWEST.filter(year__range=(1970, 1979))[:100]),
    "of a common genre": ("movie_newest_first", NEWEST.filter(genres="Drama")[:100]),
    "of a rare genre": ("movie_genres_genre_id", NEWEST.filter(genres="Horror")[:100]),
    "about something": ("movie_keywords_keyword_id", NEWEST.filter(keywords="word 7")[:100]),
    "with a word": (
        "movie_by_words",
        rows_with_words(NEWEST, "title_key", "471").order_by(*NEWEST_MATCHES)[:100],
    ),
    "with a word of all": (
        "movie_by_words",
        rows_with_words(NEWEST, "title_key", "mov").order_by(*NEWEST_MATCHES)[:100],
    ),
    "by title": ("movie_by_title_and_year", Movie.objects.order_by("title_key", "-id")[:100]),
    "oldest first": ("movie_newest_first", Movie.objects.order_by("year", "-id")[:100]),
}
"""Queries of the admin pages' list of movies, and their indexes."""


@pytest.mark.parametrize("index", QUESTIONS)
def test_query_uses_its_index(plans, index):
    assert index in plans[index]
    assert "Seq Scan" not in plans[index]


@pytest.mark.parametrize("name", LISTS)
def test_admin_lists_use_an_index(plans, name):
    index, _ = LISTS[name]
    assert index in plans[name]
    assert "Seq Scan" not in plans[name]
