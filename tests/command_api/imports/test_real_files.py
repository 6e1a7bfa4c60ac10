"""Imports of the demo catalogue and MovieLens 100K.

The ratings may not be redistributed. They are read from the directory RATINGS, by default from
``shared`` beside the checkout.
"""

import pytest
from django.db import connection

from command_api.catalogue.id_allocation import LAST_FILE_ID
from command_api.catalogue.models import MOVIELENS, Casting, ExternalId, Movie
from tests.command_api.imports.sample import ML_100K, expected_matches


@pytest.fixture
def changed_ratings(tmp_path):
    """Write MovieLens 100K with other ratings: a function of the lines' columns."""

    def write(name, change):
        directory = tmp_path / name
        directory.mkdir()
        (directory / "movies.csv").symlink_to(ML_100K / "movies.csv")
        header, *lines = (ML_100K / "ratings.csv").read_text().splitlines()
        changed = [
            ",".join(map(str, change(nth, *line.split(",")))) for nth, line in enumerate(lines)
        ]
        (directory / "ratings.csv").write_text("\n".join([header, *changed]))
        return directory

    return write


def rated_again(nth, user, film, stars, at):
    """Every hundredth rating is given again, a year later and a star higher or lower."""
    if nth % 100:
        return user, film, stars, at
    return user, film, float(stars) + (1 if float(stars) < 5 else -1), int(at) + 31_536_000


def of_other_users(_nth, user, film, stars, at):
    return 944 - int(user), film, stars, at


@pytest.mark.slow
def test_demo_catalogue_and_movielens_100k_are_imported_completely(
    command, changed_ratings, capsys
):
    """One test, because importing the catalogue takes thirteen CPU seconds."""
    assert command("import_catalogue", "demo") == (
        "read 36273, added 36273, changed 0, unchanged 0, broken 0;"
        " matched 0, ambiguous 0, ids of another movie 0\n"
    )
    with connection.cursor() as cursor:
        # Autovacuum analyses nothing in the test's transaction. Without this, the session checks
        # foreign keys with the plan for empty tables, row by row.
        cursor.execute("ANALYZE")
    assert Movie.objects.count() == 36_273
    assert Casting.objects.filter(movie__title="Heat", movie__year=1995).count() == 10
    assert ExternalId.objects.filter(source="wikipedia").count() == 34_540
    repeated = command("import_catalogue", "demo")
    assert repeated.startswith(
        "read 36273, added 0, changed 0, unchanged 36273, broken 0; matched 0,"
    )
    if not (ML_100K / "ratings.csv").is_file():
        pytest.skip(f"no MovieLens in {ML_100K}")
    output = command("import_movielens", ML_100K)
    assert output.startswith(
        "ratings: read 100000, imported 99693, re-rated 46, already there 261, broken 0 ("
    )
    assert output.splitlines()[1] == (
        "films: read 1682, matched 1197, added 467, doubles 18, already there 0, broken 0;"
        " ambiguous 1, a year off 37, ids of another movie 0"
    )
    links = ExternalId.objects.filter(source=MOVIELENS).values_list("value", "movie")
    linked_movies = {int(value): movie if movie <= LAST_FILE_ID else None for value, movie in links}
    assert [
        row for row in expected_matches() if not row.is_right(linked_movies[row.movielens_id])
    ] == []
    assert ExternalId.objects.filter(source=MOVIELENS).count() == 1682
    assert Movie.objects.count() == 36_273 + 467
    repeated = command("import_movielens", ML_100K)
    assert repeated.startswith(
        "ratings: read 100000, imported 0, re-rated 0, already there 100000,"
    )
    newer = command("import_movielens", changed_ratings("newer", rated_again), "--dry-run")
    assert newer.startswith(
        "ratings: read 100000, imported 0, re-rated 1000, already there 99000, broken 0 ("
    )
    capsys.readouterr()
    others = command("import_movielens", changed_ratings("others", of_other_users), "--dry-run")
    assert others.startswith(
        "ratings: read 100000, imported 99693, re-rated 46, already there 261, broken 0 ("
    )
    assert ": new\n" in capsys.readouterr().err
