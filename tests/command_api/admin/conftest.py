"""Fixtures of the admin pages: staff, log-ins and browsers."""

from http.cookies import SimpleCookie
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from command_api.admin import session_cookie
from command_api.staff import grants
from events.recorded import Origin
from infra.security import access_tokens

FILLING = """
INSERT INTO genres (name) VALUES ('Drama'), ('Horror') ON CONFLICT DO NOTHING;
INSERT INTO movies (id, title, title_key, year, status)
    SELECT n, 'The Movie ' || n, 'the movie ' || n, 1900 + n %% 120, 'listed'
    FROM generate_series(1001, 1000 + %(n)s) n;
INSERT INTO movie_genres (movie_id, genre_id, place)
    SELECT n, CASE WHEN n %% 50 = 0 THEN 'Horror' ELSE 'Drama' END, 1
    FROM generate_series(1001, 1000 + %(n)s) n;
INSERT INTO people (id, name) SELECT n, 'Person ' || n FROM generate_series(1, %(n)s / 10) n;
INSERT INTO keywords (name) SELECT 'word ' || n FROM generate_series(1, %(n)s / 10) n;
INSERT INTO castings (movie_id, person_id, billing)
    SELECT n, 1 + (n * 7 + k * 13) %% (%(n)s / 10), k
    FROM generate_series(1001, 1000 + %(n)s) n, generate_series(1, 5) k;
INSERT INTO credits (movie_id, person_id, job, place)
    SELECT n, 1 + (n * 3 + k) %% (%(n)s / 10), 'Director', k
    FROM generate_series(1001, 1000 + %(n)s) n, generate_series(1, 2) k;
INSERT INTO movie_keywords (movie_id, keyword_id, place)
    SELECT n, 'word ' || 1 + (n + k * 17) %% (%(n)s / 10), k
    FROM generate_series(1001, 1000 + %(n)s) n, generate_series(1, 3) k;
INSERT INTO translations (movie_id, language, title)
    SELECT n, unnest(ARRAY['fr', 'de']), 'Film ' || n
    FROM generate_series(1001, 1000 + %(n)s) n;
INSERT INTO external_ids (movie_id, source, value)
    SELECT n, unnest(ARRAY['tmdb', 'imdb']), unnest(ARRAY[n::text, 'tt' || n])
    FROM generate_series(1001, 1000 + %(n)s) n;
INSERT INTO trend_observations (board, source, "window", observed_at)
    VALUES ('tmdb-day', 'tmdb', 'day', now()), ('tmdb-week', 'tmdb', 'week', now());
INSERT INTO trend_entries (board_id, movie_id, rank)
    SELECT unnest(ARRAY['tmdb-day', 'tmdb-week']), 1000 + n, n FROM generate_series(1, 100) n;
INSERT INTO tmdb_films (tmdb_id, fetched_at, wanted_at, gone_at, fault)
    SELECT n, now(), CASE WHEN n %% 100 = 0 THEN now() END, CASE WHEN n %% 200 = 7 THEN now() END,
        CASE WHEN n %% 300 = 5 THEN 'no title' ELSE '' END
    FROM generate_series(1001, 1000 + %(n)s) n;
INSERT INTO sync_runs (kind, state, begun_at, cursor, counts, totals, words, note)
    SELECT kind, 'running', now(), 0, '{"events": 3}', '{"events": 4}', '["a word"]', ''
    FROM unnest(ARRAY['genres', 'lists', 'changes', 'oldest', 'trending', 'films']) kind;
ANALYZE;
"""
"""Movies of 1900 to 2019 with the ids 1001, 1002..., each with every detail set."""


def fill(movies: int) -> None:
    """Insert ``movies`` movies of FILLING."""
    with connection.cursor() as cursor:
        cursor.execute(FILLING, {"n": movies})


@pytest.fixture
def staff(person):
    """Registers a user with the staff role."""

    def make():
        user = person()
        grants.grant(user.user_id, origin=Origin(correlation_id=uuid4()))
        return user

    return make


def browser(cookie=None, *, is_strict=False):
    """A client with the session cookie; a strict one checks CSRF tokens."""
    client = Client(enforce_csrf_checks=is_strict)
    if cookie is not None:
        client.cookies = SimpleCookie({session_cookie.NAME: cookie})
    return client


def cookie_of(user):
    """Session cookie of an API log-in, as if it had started at the admin pages."""
    family = access_tokens.bearer(user.headers["Authorization"]).family
    return session_cookie.write(family, 0)
