"""manage.py import_movielens: films, ratings, repetition, broken files."""

import gzip
import io
import time
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, MovieFacts, RestoreMovie, WithdrawMovie
from command_api.catalogue.models import ExternalId, Movie, RatingsImport
from command_api.imports.data_sets import FIRST
from events.catalogue import MovieRated
from events.recorded import Origin

T = 874_724_710  # a second in 1997
user_id = FIRST.user_id
MOVIES = [
    (1, "Usual Suspects, The (1995)", "Crime|Thriller"),
    (2, "Made Up, Entirely (1995)", "Sci-Fi|Gastronomy"),
    (3, "Usual Suspects, The (1995)", "(no genres listed)"),
    (4, "unknown", ""),
]


@pytest.fixture
def suspects(store):
    """A catalogue with one movie."""
    command = AddMovie(5, MovieFacts(title="The Usual Suspects", year=1995))
    handle_all([command], store, origin=Origin(correlation_id=UUID(int=1)))


def rating_events(history):
    return {
        stream: [(past.event, past.occurred_at.timestamp()) for past in recorded_events]
        for stream, recorded_events in history("rating-").items()
    }


def test_movielens_import_matches_films_and_appends_ratings_with_their_times(
    command, movielens, history, suspects
):
    ratings = [(7, 1, 5.0, T), (8, 2, 0.5, T + 60), (7, 2, "3.5", T + 90)]
    output = command("import_movielens", movielens(movies=MOVIES, ratings=ratings))
    assert output.startswith("ratings: read 3, imported 3, re-rated 0, already there 0, broken 0 (")
    films, genres = output.splitlines()[1:]
    assert films == (
        "films: read 4, matched 1, added 2, doubles 1, already there 0, broken 0;"
        " ambiguous 0, a year off 0, ids of another movie 0"
    )
    assert genres == "left out genres that are not in our table: Gastronomy (1)"
    [made_up] = Movie.objects.filter(title="Made Up, Entirely")
    assert (made_up.pk, made_up.year) == (1_000_001, 1995)
    assert [genre.name for genre in made_up.genres.all()] == ["Science Fiction"]
    ann, bob = user_id(7), user_id(8)
    assert rating_events(history) == {
        f"rating-{ann}-5": [(MovieRated(user_id=ann, movie_id=5, score=10), T)],
        f"rating-{ann}-{made_up.pk}": [
            (MovieRated(user_id=ann, movie_id=made_up.pk, score=7), T + 90)
        ],
        f"rating-{bob}-{made_up.pk}": [
            (MovieRated(user_id=bob, movie_id=made_up.pk, score=1), T + 60)
        ],
    }


def test_later_rating_wins_for_two_ids_of_one_film(command, movielens, history, suspects):
    ratings = [(7, 3, 4.0, T + 9), (7, 1, 2.0, T), (7, 1, 4.0, T + 99)]
    output = command("import_movielens", movielens(movies=MOVIES, ratings=ratings))
    assert output.startswith("ratings: read 3, imported 1, re-rated 1, already there 1, broken 0 (")
    ann = user_id(7)
    assert rating_events(history) == {
        f"rating-{ann}-5": [
            (MovieRated(user_id=ann, movie_id=5, score=4), T),
            (MovieRated(user_id=ann, movie_id=5, score=8, previous=4), T + 9),
        ]
    }


def test_repeated_movielens_import_appends_nothing(command, movielens, history, suspects):
    ratings = [(7, 1, 4.0, T), (7, 3, 4.0, T + 1), (8, 2, 3, T)]
    files = movielens(movies=MOVIES, ratings=ratings, links=[(1, "0114814", "629"), (2, "", "")])
    command("import_movielens", files)
    before = history("")
    output = command("import_movielens", files)
    assert output.startswith("ratings: read 3, imported 0, re-rated 0, already there 3, broken 0 (")
    assert "films: read 4, matched 0, added 0, doubles 0, already there 4," in output
    assert history("") == before


def test_movielens_links_become_external_ids(command, movielens, suspects):
    files = movielens(
        movies=MOVIES,
        ratings=[(7, 1, 4.0, T)],
        links=[(1, "0114814", "629"), (2, "7", ""), (4, "0114814", "8"), (3, "7", "629")],
    )
    output = command("import_movielens", files)
    # By TMDb id the third film is the first; its IMDb id then belongs to the second.
    assert (
        "doubles 2, already there 0, broken 0; ambiguous 0, a year off 0, ids of another movie 1"
        in output
    )
    links = ExternalId.objects.values_list("source", "value", "movie")
    assert sorted(links) == [
        ("imdb", "tt0000007", 1_000_001),
        ("imdb", "tt0114814", 5),
        ("movielens", "1", 5),
        ("movielens", "2", 1_000_001),
        ("movielens", "3", 1_000_001),
        ("movielens", "4", 5),
        ("tmdb", "629", 5),
        ("tmdb", "8", 5),
    ]


def test_until_now_shifts_all_times_by_one_amount(command, movielens, history, suspects):
    files = movielens(movies=MOVIES, ratings=[(7, 1, 4.0, T), (8, 1, 4.0, T + 500)])
    earliest = int(time.time())
    command("import_movielens", files, "--until-now")
    [first] = history(f"rating-{user_id(7)}").values()
    [last] = history(f"rating-{user_id(8)}").values()
    assert earliest <= last[0].occurred_at.timestamp() <= time.time()
    assert (last[0].occurred_at - first[0].occurred_at).total_seconds() == 500


def test_broken_movielens_lines_are_reported_and_the_rest_imported(
    command, movielens, capsys, suspects
):
    files = movielens(
        movies=[
            *MOVIES,
            ("five", "Heat (1995)", ""),
            (1, "Twice (1990)", ""),
            (6, " (1995)", ""),
            (9,),
        ],
        ratings=[
            (7, 1, 5.5, T),
            (7, 1, "nan", T),
            (7, 99, 4.0, T),
            ("Ann", 1, 4.0, T),
            (7, 1, 4.0, int(time.time()) + 100_000),
            (7, 1, 4.0, -5),
            (7, 1, 4.0),
            (7, 1, 4.0, T),
        ],
    )
    with (files / "ratings.csv").open("ab") as file:
        file.write(b'7,"1,4.0,5\r\n\xff,1,4.0,5\r\n8,1,4.0,5\r\n')
    output = command("import_movielens", files)
    assert output.startswith(
        "ratings: read 11, imported 2, re-rated 0, already there 0, broken 9 ("
    )
    assert "films: read 8, matched 1, added 2, doubles 1, already there 0, broken 4;" in output
    messages = capsys.readouterr().err
    assert "movies.csv:6: movieId 'five' is not a number\n" in messages
    assert "movies.csv:7: film 1 is on an earlier line already\n" in messages
    assert "ratings.csv:2: rating '5.5' is not 0.5 to 5 stars in halves\n" in messages
    assert "ratings.csv:4: film 99 is not in movies.csv\n" in messages
    assert "ratings.csv:8: 3 columns instead of 4\n" in messages


def test_unreadable_ids_are_counted_apart_from_films(command, movielens, suspects):
    files = movielens(movies=MOVIES[:1], ratings=[(7, 1, 4.0, T)])
    (files / "links.csv").write_text("movieId,imdbId,tmdbId\n1,NULL,862.0\nx,1,2\n")
    output = command("import_movielens", files)
    assert "films: read 1, matched 1, added 0, doubles 0, already there 0, broken 0;" in output
    assert "left out lines and ids of links.csv that can't be read: 2\n" in output


def test_missing_movielens_files_or_columns_exit_with_2(command, tmp_path):
    with pytest.raises(CommandError, match=r"no file movies\.csv in") as missing:
        command("import_movielens", tmp_path)
    (tmp_path / "movies.csv").write_text("movieId,title\n")
    (tmp_path / "ratings.csv").write_text("")
    with pytest.raises(CommandError, match="lacks the columns genres") as other:
        command("import_movielens", tmp_path)
    assert (missing.value.returncode, other.value.returncode) == (2, 2)


def test_movielens_files_without_a_rating_are_an_error(command, movielens):
    with pytest.raises(CommandError, match="could be read as a rating"):
        command("import_movielens", movielens(movies=MOVIES, ratings=[]))


def test_nothing_of_truncated_gzipped_ratings_is_imported(movielens, history, suspects):
    rated = [(user, 1, 4.0, T + user * 7919 % 10_007) for user in range(1, 3001)]
    directory = movielens(movies=MOVIES[:1], ratings=rated)
    packed = gzip.compress((directory / "ratings.csv").read_bytes())
    (directory / "ratings.csv").write_bytes(packed[: len(packed) // 2])
    before = history("")
    with pytest.raises(
        CommandError, match=r"^ratings.csv:\d+: the file was cut short here\nNothing was imported"
    ) as it:
        call_command("import_movielens", str(directory), stdout=io.StringIO())
    assert it.value.returncode == 1
    assert history("") == before


def test_nothing_is_imported_when_a_column_of_the_ratings_is_missing(movielens, history, suspects):
    directory, before = movielens(movies=MOVIES, ratings=[]), history("")
    (directory / "ratings.csv").write_text("userId,movieId,rating\n7,1,4.0\n")
    with pytest.raises(CommandError, match="lacks the columns timestamp"):
        call_command("import_movielens", str(directory), stdout=io.StringIO())
    assert history("") == before


def test_ambiguous_films_are_printed_once(command, movielens, suspects, store):
    remake = AddMovie(6, MovieFacts(title="The Usual Suspects", year=1995))
    handle_all([remake], store, origin=Origin(correlation_id=UUID(int=1)))
    files = movielens(movies=MOVIES[:1], ratings=[(7, 1, 4.0, T)])
    output = command("import_movielens", files)
    assert "matches several movies: The Usual Suspects (1995), linked to 5 of 5, 6\n" in output
    assert "matches several" not in command("import_movielens", files)


def test_films_of_another_year_are_printed_and_the_report_has_every_film(
    command, movielens, suspects, tmp_path
):
    movies = [(1, "Usual Suspects, The (1996)", ""), (2, "Made Up (1995)", ""), (3, "unknown", "")]
    files, report = movielens(movies=movies, ratings=[(7, 1, 4.0, T)]), tmp_path / "report.csv"
    output = command("import_movielens", files, "--report", report)
    assert "matched 1, added 2," in output
    assert "a year off 1," in output
    assert "matches a movie of another year: The Usual Suspects (1996), linked to 5\n" in output
    assert report.read_text().splitlines() == [
        "movielens_id,title,how,movie_id,possible",
        "1,The Usual Suspects (1996),near,5,",
        "2,Made Up (1995),added,1000001,",
        "3,unknown,added,1000002,",
    ]


def test_dry_run_prints_the_same_report_and_changes_nothing(command, movielens, history, suspects):
    files = movielens(movies=MOVIES, ratings=[(7, 1, 4.0, T), (7, 3, 5.0, T + 1), (8, 2, 3, T)])
    before = history("")
    dry = command("import_movielens", files, "--dry-run", "--until-now")
    assert history("") == before
    assert not RatingsImport.objects.exists()
    assert Movie.objects.count() == 1
    output = command("import_movielens", files)
    assert [line.partition(" (")[0] for line in dry.splitlines()] == [
        line.partition(" (")[0] for line in output.splitlines()
    ]
    assert "imported 2, re-rated 1," in output


def test_ratings_of_withdrawn_movies_are_refused_and_counted(
    command, movielens, history, suspects, store
):
    origin = Origin(correlation_id=UUID(int=1))
    handle_all([WithdrawMovie(5, "a double")], store, origin=origin)
    ratings = [(7, 1, 5.0, T), (8, 2, 0.5, T + 60), (8, 3, 4.0, T + 90)]
    files = movielens(movies=MOVIES, ratings=ratings)
    output = command("import_movielens", files).splitlines()
    assert output[0].startswith(
        "ratings: read 3, imported 1, re-rated 0, already there 0, broken 0 ("
    )
    assert output[1] == "refused 2 ratings of withdrawn movies"
    assert len(rating_events(history)) == 1
    handle_all([RestoreMovie(5)], store, origin=origin)
    output = command("import_movielens", files)
    assert output.startswith("ratings: read 3, imported 2, re-rated 0, already there 1, broken 0 (")


def test_movielens_import_fails_when_all_ratings_are_refused(command, movielens, suspects, store):
    handle_all([WithdrawMovie(5, "a double")], store, origin=Origin(correlation_id=UUID(int=1)))
    files = movielens(movies=MOVIES[:1], ratings=[(7, 1, 5.0, T)])
    with pytest.raises(CommandError, match="refused 1 ratings of withdrawn movies"):
        command("import_movielens", files)
