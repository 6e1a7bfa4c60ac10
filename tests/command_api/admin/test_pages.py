"""Admin pages: bounded number of queries, contents, search and malformed requests."""

from re import findall
from unittest.mock import patch

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from command_api.admin import estimated_count
from command_api.admin.base import ReadOnlyAdmin
from command_api.catalogue.models import Movie
from tests.command_api.admin.conftest import browser, cookie_of, fill

pytestmark = pytest.mark.django_db(databases=["default", "vault"])
MOVIES = 2000
MAX_QUERIES = 8
IDENTITY_QUERIES = 2
"""Queries that are not on the catalogue: one of the vault, one of the log."""
MOVIE, PERSON, FILM = (f"/admin/catalogue/{name}/" for name in ("movie", "person", "tmdbfilm"))
PAGES = {
    "/admin/": 0,
    "/admin/catalogue/": 0,
    MOVIE: 4,
    f"{MOVIE}?p=15": 4,
    f"{MOVIE}?o=1": 4,
    f"{MOVIE}?o=-2": 4,
    f"{MOVIE}?q=movie+199": 3,
    f"{MOVIE}?q=tt1999": 4,
    f"{MOVIE}?decade=1970&genre=Horror": 3,
    f"{MOVIE}?keyword=word+7": 3,
    f"{MOVIE}1999/": 6,
    PERSON: 4,
    f"{PERSON}?q=person+17": 3,
    f"{PERSON}7/": 3,
    "/admin/catalogue/genre/": 4,
    "/admin/catalogue/keyword/": 4,
    "/admin/catalogue/keyword/?q=word+1": 3,
    "/admin/catalogue/trendobservation/": 4,
    "/admin/catalogue/trendobservation/tmdb-day/": 2,
    "/admin/catalogue/syncrun/": 5,
    "/admin/catalogue/syncrun/films/": 2,
    FILM: 4,
    f"{FILM}?state=gone": 3,
    f"{FILM}?state=unreadable": 3,
    f"{FILM}?state=wanted": 3,
    f"{FILM}?q=1500": 3,
}
"""Each page, and its number of queries on the catalogue."""
SMALL = ("genres", "trend_observations", "sync_runs", "pg_")
"""Tables that never have many rows."""


@pytest.fixture
def open_page(api, staff):
    """Open a page as staff, in a catalogue with many movies."""
    fill(MOVIES)
    client = browser(cookie_of(staff()))

    def open_page(page, status=200):
        answer = client.get(page)
        assert answer.status_code == status, answer.content
        return answer.content.decode()

    return open_page


def test_admin_pages_take_at_most_eight_queries(open_page, django_assert_num_queries):
    for page, questions in PAGES.items():
        assert questions + IDENTITY_QUERIES <= MAX_QUERIES
        with (
            django_assert_num_queries(questions, info=page),
            django_assert_num_queries(1, connection=connections["vault"], info=page),
        ):
            open_page(page)


def test_query_count_does_not_depend_on_the_rows_of_a_page(open_page, django_assert_num_queries):
    for rows in (1, 100):
        with (
            patch.object(ReadOnlyAdmin, "list_per_page", rows),
            django_assert_num_queries(PAGES[MOVIE]),
        ):
            assert len(ids_on(open_page(MOVIE))) == rows


def ids_on(page):
    return [int(movie_id) for movie_id in findall(rf'href="{MOVIE}(\d+)/', page)]


def test_every_query_of_the_admin_pages_can_use_an_index(open_page):
    """In a small catalogue PostgreSQL scans tables, unless the plan's cost forbids it."""
    for page in PAGES:
        with CaptureQueriesContext(connection) as queries:
            open_page(page)
        for question in (each["sql"] for each in queries.captured_queries):
            assert not [table for table in scanned(question) if not table.startswith(SMALL)], (
                page,
                question,
            )


def scanned(question):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {question}")
        lines = [line for (line,) in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    return [line.split(" on ")[1].split()[0] for line in lines if "Seq Scan on" in line]


def test_movie_list_shows_newest_first_with_genres_and_boards(open_page):
    page = open_page(MOVIE)
    newest = Movie.objects.order_by("-year", "-id")[:100].values_list("pk", flat=True)
    assert ids_on(page) == [*newest]
    assert "2,002 movies" in page  # plus the movies of every test
    [row] = findall(rf'<tr><th class="field-name"><a href="{MOVIE}{newest[5]}/.*?</tr>', page)
    assert f">The Movie {newest[5]}<" in row
    cells = findall(r"<td[^>]*>(.*?)</td>", row)
    assert cells[:4] == ["2019", "Drama", "5", "2"]


def test_movie_page_shows_all_related_rows(open_page):
    page = open_page(f"{MOVIE}1050/")
    shown = findall(r"<td>(.*?)</td>", page)
    assert next(cell for cell in shown if "Person" in cell).endswith(">Person 164</a>")
    assert {"Director", "tmdb", "imdb", "1050", "tt1050", "fr", "Film 1050"} <= set(shown)
    assert "Horror" in page
    assert "tmdb-day #50, tmdb-week #50" in page
    assert "<form" not in page.replace('<form id="logout-form"', "")


def test_search_finds_words_prefixes_and_ids(open_page):
    of_the_decade = Movie.objects.filter(year__range=(1950, 1959))
    for query, expected in {
        "q=movie+1234": [1234],
        "q=1234+THE": [1234],
        "q=mov+123": range(1230, 1240),
        "q=tt1234": [1234],
        "q=tt99": [],
        "q=%3F%3F": [],
        "decade=1950&genre=Horror": ids(of_the_decade.filter(genres="Horror")),
        "keyword=word+7": ids(Movie.objects.filter(keywords="word 7")),
    }.items():
        assert sorted(ids_on(open_page(f"{MOVIE}?{query}"))) == sorted(expected), query


def ids(movies):
    movie_ids = list(movies.values_list("pk", flat=True))
    assert movie_ids
    return movie_ids


def test_large_tables_show_an_estimated_count(open_page):
    with patch.object(estimated_count, "EXACT_LIMIT", 500):
        assert "about 2,002 movies" in open_page(MOVIE)
        page = open_page(f"{MOVIE}?q=movie")
        assert "more than 500 movies" in page
        assert 'href="?p=5&amp;q=movie"' in page
        assert "p=6" not in page


def test_lists_of_people_genres_keywords_and_boards_show_their_counts(open_page):
    assert findall(r">Person 17<", open_page(f"{PERSON}?q=son+17")) == []
    assert findall(r">Person 17<", open_page(f"{PERSON}?q=17+per")) == [">Person 17<"]
    assert "The Movie" in open_page(f"{PERSON}17/")
    genres = open_page("/admin/catalogue/genre/")
    assert f'<a href="{MOVIE}?genre=Horror">40</a>' in genres
    keywords = open_page("/admin/catalogue/keyword/?q=word+7")
    assert f'<a href="{MOVIE}?keyword=word+7">30</a>' in keywords
    assert "The Movie 1001 (" in open_page("/admin/catalogue/trendobservation/tmdb-day/")


def test_django_admin_adds_no_tables(open_page):
    tables = connection.introspection.table_names()
    prefixes = ("auth_", "django_")
    assert [name for name in tables if name.startswith(prefixes)] == ["django_migrations"]


def test_sync_page_shows_state_and_counts(open_page):
    page = open_page("/admin/catalogue/syncrun/")
    assert page.count("interrupted; the next run continues") == 6
    assert page.count("events 7") == 6
    assert "a word" in open_page("/admin/catalogue/syncrun/films/")


def test_malformed_admin_requests_are_client_errors_or_ignored(open_page):
    for page, status in MALFORMED_PAGES.items():
        open_page(page, status)


MALFORMED_PAGES = {
    f"{MOVIE}7/": 404,
    f"{MOVIE}x/": 404,
    f"{MOVIE}99999999999999999999/": 404,
    f"{MOVIE}1999/history/": 404,
    f"{MOVIE}1999/delete/": 404,
    f"{MOVIE}add/": 404,
    "/admin/catalogue/trendobservation/a%00b/": 400,
    f"{MOVIE}?overview__contains=x": 400,
    f"{MOVIE}?title__regex=(a%2B)%2B": 400,
    f"{MOVIE}?q=a%00b": 400,
    f"{MOVIE}?keyword=%00": 400,
    f"{MOVIE}?_to_field=title": 400,
    f"{MOVIE}?q={'a' * 5000}": 414,
    f"{MOVIE}?{'a&' * 1001}": 400,
    f"{MOVIE}?q={'a' * 4000}": 200,
    f"{MOVIE}?q={'a+' * 2000}": 200,
    f"{MOVIE}?p=999999999": 302,
    f"{MOVIE}?p=x&o=9.-9&decade=x&genre=x&_facets=1&all=&e=1": 200,
    f"{FILM}?q=99999999999": 200,
    f"{FILM}?q=%C2%B2&state=x": 200,
}
