"""manage.py import_movielens with several data sets: numbers count only within their own."""

import csv
import gzip
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.management.base import CommandError

from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, LinkMovie, MovieFacts
from command_api.catalogue.models import ExternalId, Movie
from command_api.imports.data_sets import FIRST, DataSet
from command_api.ratings.decider import RateMovie, rating
from events.recorded import Origin
from events.store import AppendEntry

T = 978_300_000  # a second in 2000
ORIGIN = Origin(correlation_id=UUID(int=1))
SUSPECTS, STAR_WARS, TOYS, HEAT = 5, 6, 7, 8
ML_1M, ML_100K = DataSet("ml-1m"), DataSet("ml-100k")


@pytest.fixture
def catalogue(store):
    facts = {
        SUSPECTS: ("The Usual Suspects", 1995),
        STAR_WARS: ("Star Wars", 1977),
        TOYS: ("Toy Story", 1995),
        HEAT: ("Heat", 1995),
    }
    commands = [AddMovie(it, MovieFacts(title=t, year=y)) for it, (t, y) in facts.items()]
    handle_all(commands, store, origin=ORIGIN)


@pytest.fixture
def of_1m(tmp_path):
    """Write a directory in the format of 1M."""

    def write(movies, ratings, name="ml-1m"):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        lines = [f"{number}::{title}::Drama\n" for number, title in movies]
        (directory / "movies.dat").write_text("".join(lines))
        lines = ["::".join(map(str, row)) + "\n" for row in ratings]
        (directory / "ratings.dat").write_text("".join(lines))
        return directory

    return write


@pytest.fixture
def of_100k(tmp_path):
    """Write a directory in the format of 100K."""

    def write(movies, ratings, name="ml-100k"):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        flags = "|".join("0" * 19)
        lines = [
            f"{number}|{title}|01-Jan-1995||http://x.example|{flags}\n" for number, title in movies
        ]
        (directory / "u.item").write_text("".join(lines))
        lines = ["\t".join(map(str, row)) + "\n" for row in ratings]
        (directory / "u.data").write_text("".join(lines))
        return directory

    return write


@pytest.fixture
def of_latest(tmp_path):
    """Write a directory in the format of the newest releases."""

    def write(movies, ratings, name="ml-latest"):
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        tables = {
            "movies.csv": [("movieId", "title", "genres"), *((*row, "Drama") for row in movies)],
            "ratings.csv": [("userId", "movieId", "rating", "timestamp"), *ratings],
        }
        for file_name, rows in tables.items():
            with (directory / file_name).open("w", newline="") as file:
                csv.writer(file).writerows(rows)
        return directory

    return write


@pytest.fixture
def scores(history):
    """The current scores of all users, by user and movie."""

    def read():
        return {
            (str(last.event.user_id), last.event.movie_id): last.event.score
            for *_, last in history("rating-").values()
            if hasattr(last.event, "score")
        }

    return read


def of_seconds(at):
    return datetime.fromtimestamp(at, UTC)


def of(data_set, number, movie):
    return str(data_set.user_id(number)), movie


def data_set_of(capsys):
    """The data set that the command has named."""
    [line] = [it for it in capsys.readouterr().err.splitlines() if it.startswith("data set ")]
    return line.removeprefix("data set ")


FILMS_OF_1M = [(50, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)"), (6, "Heat (1995)")]
FILMS_OF_100K = [
    (50, "Star Wars (1977)"),
    (12, "Usual Suspects, The (1995)"),
    (1, "Toy Story (1995)"),
]


def test_number_of_another_data_set_is_matched_by_title(
    command, catalogue, of_1m, of_100k, scores, capsys
):
    command("import_movielens", of_1m(FILMS_OF_1M, [(1, 50, 5, T)]))
    assert data_set_of(capsys) == "movielens: new"
    output = command("import_movielens", of_100k(FILMS_OF_100K, [(2, 50, 1, T), (2, 12, 2, T)]))
    assert "matched 3, added 0," in output
    name, _, state = data_set_of(capsys).partition(": ")
    assert state == "new"
    assert scores() == {
        of(FIRST, 1, SUSPECTS): 10,
        of(DataSet(name), 2, STAR_WARS): 2,
        of(DataSet(name), 2, SUSPECTS): 4,
    }
    links = ExternalId.objects.filter(source=f"movielens:{name}").values_list("value", "movie")
    assert dict(links) == {"50": STAR_WARS, "12": SUSPECTS, "1": TOYS}


def test_number_of_another_film_in_one_data_set_is_matched_by_title(
    command, catalogue, of_1m, of_100k, scores
):
    command("import_movielens", of_1m(FILMS_OF_1M, [(1, 50, 5, T)]), "--as", "ml-1m")
    films = [(50, "Star Wars (1977)"), (6, "Unheard Of (1995)"), (1, "Toy Story (1995)")]
    directory = of_100k(films, [(2, 50, 1, T), (2, 6, 2, T), (2, 1, 3, T)])
    command("import_movielens", directory, "--as", "ml-1m")
    [added] = Movie.objects.filter(title="Unheard Of")
    assert scores() == {
        of(ML_1M, 1, SUSPECTS): 10,
        of(ML_1M, 2, STAR_WARS): 2,
        of(ML_1M, 2, added.pk): 4,
        of(ML_1M, 2, TOYS): 6,
    }
    assert "already there 3" in command("import_movielens", directory, "--as", "ml-1m")
    assert Movie.objects.count() == 5


@pytest.mark.parametrize("names", [(None, None), (None, "b"), ("a", None), ("a", "b")])
def test_users_of_different_data_sets_are_different_people(
    command, catalogue, of_latest, scores, names
):
    """Both releases number films alike, and users anew."""
    films = [(50, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)"), (6, "Heat (1995)")]
    first = [(5001, 50, 5.0, T), (5001, 1, 3.0, T + 9), (7, 6, 4.0, T + 20)]
    second = [(5001, 50, 1.0, T - 77), (5001, 6, 4.0, T + 88), (7, 1, 2.0, T + 99)]
    for name, rows, directory in zip(names, (first, second), ("2016", "2018"), strict=True):
        output = command(
            "import_movielens", of_latest(films, rows, directory), *(("--as", name) if name else ())
        )
        assert output.startswith("ratings: read 3, imported 3, re-rated 0, already there 0,")
    assert len(scores()) == 6
    assert sorted(score for (_, movie), score in scores().items() if movie == SUSPECTS) == [2, 10]


def test_users_of_a_large_release_are_not_those_of_a_small_one(
    command, catalogue, of_latest, scores, capsys
):
    """Both number films alike; the log has 2 of the 300 user numbers of the second."""
    films = [(50, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)"), (6, "Heat (1995)")]
    command("import_movielens", of_latest(films, [(2, 50, 5.0, T), (4, 1, 4.0, T)], "small"))
    capsys.readouterr()
    large = [(user, 50, 1.0, T + user) for user in range(1, 301)]
    command("import_movielens", of_latest(films, large, "large"))
    assert data_set_of(capsys) != "movielens: in the log before"
    assert len(scores()) == 302
    assert scores()[of(FIRST, 2, SUSPECTS)] == 10


@pytest.mark.parametrize("name", [None, "mine"])
def test_newer_export_changes_the_ratings_that_differ(
    command, catalogue, of_latest, scores, name, capsys
):
    named = ("--as", name) if name else ()
    data_set = DataSet(name) if name else FIRST
    films = [(318, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)")]
    ratings = [(5001, 318, 5.0, T), (5001, 1, 4.0, T + 1), (5002, 1, 4.5, T + 2)]
    older = of_latest(films, ratings, "june")
    command("import_movielens", older, *named)
    capsys.readouterr()
    films.append((6, "Heat (1995)"))
    newer = [(5001, 318, 1.0, T + 50), *ratings[1:], (5002, 6, 3.0, T + 60), (5003, 1, 2.5, T + 70)]
    directory = of_latest(films, newer, "july")
    output = command("import_movielens", directory, *named)
    assert output.startswith("ratings: read 5, imported 2, re-rated 1, already there 2, broken 0")
    assert data_set_of(capsys) == f"{data_set.name}: in the log before"
    expected = {
        of(data_set, 5001, SUSPECTS): 2,
        of(data_set, 5001, TOYS): 8,
        of(data_set, 5002, TOYS): 9,
        of(data_set, 5002, HEAT): 6,
        of(data_set, 5003, TOYS): 5,
    }
    assert scores() == expected
    assert "re-rated 0, already there 5," in command("import_movielens", directory, *named)
    assert "re-rated 0, already there 3," in command("import_movielens", older, *named)
    assert scores() == expected


@pytest.mark.parametrize(
    ("rows", "is_continued"),
    [
        ([(5001, 50, 1.0, T + 50)], True),  # its only rating, given again
        ([(5001, 50, 1.0, T)], True),  # corrected
        ([(5001, 50, 1.0, T - 50)], False),
        ([(5001, 6, 1.0, T + 50)], False),  # of another film only
        ([(5002, 50, 1.0, T - 50)], True),  # a new user
        ([(5002, 50, 1.0, T - 50), (5001, 1, 3.0, T)], False),
    ],
)
def test_single_rating_tells_the_data_set_only_if_nothing_contradicts(
    command, catalogue, of_latest, capsys, rows, is_continued
):
    films = [(50, "Usual Suspects, The (1995)"), (6, "Heat (1995)"), (1, "Toy Story (1995)")]
    command("import_movielens", of_latest(films, [(5001, 50, 5.0, T)], "first"))
    capsys.readouterr()
    command("import_movielens", of_latest(films, rows, "second"))
    assert (data_set_of(capsys) == "movielens: in the log before") == is_continued


def test_same_ratings_in_another_format_are_already_there(
    command, catalogue, of_1m, of_latest, history
):
    ratings = [(1, 50, 5, T), (1, 6, 3, T + 1), (2, 50, 4, T + 2)]
    command("import_movielens", of_1m(FILMS_OF_1M, ratings))
    before = history("")
    output = command("import_movielens", of_latest(FILMS_OF_1M, ratings))
    assert "imported 0, re-rated 0, already there 3," in output
    assert history("") == before


def test_platform_from_before_data_sets_keeps_its_users_and_films(
    command, catalogue, of_1m, store, history, capsys
):
    """Its log has film numbers of the source movielens, and users without a data set."""
    links = {50: SUSPECTS, 1: TOYS, 6: HEAT}
    handle_all(
        [LinkMovie(movie, "movielens", str(number)) for number, movie in links.items()],
        store,
        origin=ORIGIN,
    )
    ann = UUID("9814de0b-9a77-5539-94a7-e912beed4548")  # user 1
    ratings = [(1, 50, 5, T), (1, 1, 4, T + 1), (1, 6, 3, T + 2)]
    for _, film, stars, at in ratings:
        given = RateMovie(ann, links[film], stars * 2)
        [event] = rating.decide(given, rating.initial)
        entry = AppendEntry(rating.stream(given), 1, event, of_seconds(at))
        store.append_many([entry], origin=ORIGIN)
    before = history("")
    output = command("import_movielens", of_1m(FILMS_OF_1M, ratings))
    assert data_set_of(capsys) == "movielens: in the log before"
    assert "already there 3," in output
    assert history("") == before


def test_catalogue_corrections_do_not_add_films_again(command, catalogue, of_1m, store, history):
    directory = of_1m([*FILMS_OF_1M, (7, "Unheard Of (1995)")], [(1, 50, 5, T), (1, 7, 4, T)])
    command("import_movielens", directory)
    [added] = Movie.objects.filter(title="Unheard Of")
    corrected = [
        AddMovie(SUSPECTS, MovieFacts(title="Suspects: The Usual Ones", year=1994)),
        AddMovie(added.pk, MovieFacts(title="Heard Of", year=2001)),
        AddMovie(HEAT, MovieFacts(title="Heat!", year=1995)),
    ]
    handle_all(corrected, store, origin=ORIGIN)
    before = history("")
    output = command("import_movielens", directory)
    assert "already there 2," in output
    assert "added 0, doubles 0, already there 4," in output
    assert history("") == before


def test_newer_export_is_shifted_as_the_data_set_was(command, catalogue, of_latest, history):
    films = [(50, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)")]
    ratings = [(1, 50, 5.0, T), (1, 1, 4.0, T + 500)]
    command("import_movielens", of_latest(films, ratings, "june"), "--until-now")
    newer = [(1, 50, 1.0, T + 5000), ratings[1]]
    output = command("import_movielens", of_latest(films, newer, "july"), "--until-now")
    assert "imported 0, re-rated 1, already there 1," in output
    [rated] = history(f"rating-{FIRST.user_id(1)}-{SUSPECTS}").values()
    first, again = (recorded.occurred_at.timestamp() for recorded in rated)
    # 4500 s after the last rating, which was of the first import's now, would be in the future.
    assert first + 500 <= again <= time.time()
    output = command("import_movielens", of_latest(films, newer, "july"), "--until-now")
    assert "imported 0, re-rated 0, already there 2," in output


def test_outdated_ratings_are_counted(command, catalogue, of_latest, scores):
    films = [(50, "Usual Suspects, The (1995)"), (1, "Toy Story (1995)")]
    newer = [(1, 50, 1.0, T + 50), (1, 1, 4.0, T)]
    older = [(1, 50, 5.0, T), (1, 1, 4.0, T)]
    command("import_movielens", of_latest(films, newer, "july"))
    output = command("import_movielens", of_latest(films, older, "june"))
    assert "imported 0, re-rated 0, already there 1, broken 0" in output
    assert "left out 1 ratings older than those in the log" in output
    assert scores()[of(FIRST, 1, SUSPECTS)] == 2


@pytest.mark.parametrize("name", ["ML-1M", "movielens:a", "", "../x"])
def test_unusable_name_is_refused(command, catalogue, of_1m, history, name):
    before = history("")
    with pytest.raises(CommandError, match="no name of a data set"):
        command("import_movielens", of_1m(FILMS_OF_1M, [(1, 50, 5, T)]), f"--as={name}")
    assert history("") == before


def test_dry_run_of_a_data_set_changes_nothing(command, catalogue, of_1m, of_100k, history):
    command("import_movielens", of_1m(FILMS_OF_1M, [(1, 50, 5, T)]))
    before = history("")
    directory = of_100k(FILMS_OF_100K, [(1, 50, 1, T)])
    dry = command("import_movielens", directory, "--dry-run")
    assert history("") == before
    output = command("import_movielens", directory)
    assert [line.partition(" (")[0] for line in dry.splitlines()] == [
        line.partition(" (")[0] for line in output.splitlines()
    ]


def test_mixed_platform_is_repaired_by_withdrawing_and_importing_again(
    command, catalogue, of_1m, of_100k, store, scores
):
    """Before data sets had names, 100K continued 1M: Star Wars was rated as The Usual Suspects."""
    directories = (
        of_1m(FILMS_OF_1M, [(1, 50, 5, T), (1, 6, 4, T), (3, 6, 4, T)]),
        of_100k(FILMS_OF_100K, [(1, 12, 2, T), (2, 50, 1, T)]),
    )
    links = {50: SUSPECTS, 1: TOYS, 6: HEAT}
    mixed = [(1, SUSPECTS, 10), (1, HEAT, 8), (3, HEAT, 8), (2, SUSPECTS, 2)]
    handle_all(
        [LinkMovie(movie, "movielens", str(number)) for number, movie in links.items()],
        store,
        origin=ORIGIN,
    )
    stranger = RateMovie(UUID(int=9), HEAT, 3)
    for given in (*(RateMovie(FIRST.user_id(n), it, score) for n, it, score in mixed), stranger):
        [event] = rating.decide(given, rating.initial)
        entry = AppendEntry(rating.stream(given), 1, event, of_seconds(T))
        store.append_many([entry], origin=ORIGIN)

    of_users = [
        command("withdraw_movielens", directory, "--as", "movielens").split(";")[0]
        for directory in directories
    ]
    assert of_users == [
        "withdrew 3 ratings of 2 users of data set movielens",
        "withdrew 1 ratings of 1 users of data set movielens",
    ]
    assert scores() == {(str(UUID(int=9)), HEAT): 3}
    for directory in directories:
        command("import_movielens", directory, "--as", directory.name)
    assert scores() == {
        (str(UUID(int=9)), HEAT): 3,
        of(ML_1M, 1, SUSPECTS): 10,
        of(ML_1M, 1, HEAT): 8,
        of(ML_1M, 3, HEAT): 8,
        of(ML_100K, 1, SUSPECTS): 4,
        of(ML_100K, 2, STAR_WARS): 2,
    }
    for directory in directories:  # from now on they are recognised
        assert " imported 0, re-rated 0," in command("import_movielens", directory)


def test_withdrawn_ratings_leave_no_heat_and_can_be_imported_again(
    command, catalogue, of_1m, history, scores
):
    directory = of_1m(FILMS_OF_1M, [(1, 50, 5, T), (1, 6, 4, T + 9), (2, 6, 4, T)])
    command("import_movielens", directory)
    before, events = scores(), history("")
    dry = command("withdraw_movielens", directory, "--as", "movielens", "--dry-run")
    assert history("") == events
    assert command("withdraw_movielens", directory, "--as", "movielens") == dry
    for rated, withdrawn in history("rating-").values():
        assert rated.occurred_at == withdrawn.occurred_at
    assert scores() == {}
    assert "withdrew 0 ratings" in command("withdraw_movielens", directory, "--as", "movielens")
    output = command("import_movielens", directory)
    assert "imported 3, re-rated 0, already there 0," in output
    assert scores() == before


def test_nothing_is_withdrawn_by_a_damaged_archive(command, catalogue, of_1m, history):
    """The numbers of users in it may be wrong ones."""
    directory = of_1m(FILMS_OF_1M, [(1, 50, 5, T), (2, 6, 4, T)])
    command("import_movielens", directory)
    [ratings], before = directory.glob("ratings.*"), history("")
    packed = gzip.compress(ratings.read_bytes())
    ratings.write_bytes(packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:])
    with pytest.raises(CommandError, match="the file is damaged"):
        command("withdraw_movielens", directory, "--as", "movielens")
    assert history("") == before


def test_withdrawal_needs_files_and_a_name(command, catalogue, of_1m, tmp_path):
    with pytest.raises(CommandError, match="--as"):
        command("withdraw_movielens", tmp_path)
    with pytest.raises(CommandError, match=r"no file movies\.csv in") as missing:
        command("withdraw_movielens", tmp_path, "--as", "movielens")
    assert missing.value.returncode == 2


def test_withdrawal_from_an_unknown_data_set_is_refused(command, catalogue, of_1m, history):
    directory = of_1m(FILMS_OF_1M, [(1, 50, 5, T)])
    with pytest.raises(CommandError, match=r"no data set ml-1m; it has: none\."):
        command("withdraw_movielens", directory, "--as", "ml-1m")
    command("import_movielens", directory)
    before = history("")
    with pytest.raises(CommandError, match=r"no data set ml-1m; it has: movielens\.") as unknown:
        command("withdraw_movielens", directory, "--as", "ml-1m")
    assert unknown.value.returncode == 2
    assert history("") == before
