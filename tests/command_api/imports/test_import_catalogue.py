"""manage.py import_catalogue: contents, repetition, broken files, locking."""

import gzip
import io
import json
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from command_api.catalogue import inline_projection
from command_api.catalogue.decider import MovieFacts, stream_of
from command_api.catalogue.models import ExternalId, Movie
from command_api.imports.session import import_lock

HEAT = {
    "id": 1,
    "title": "Heat",
    "year": 1995,
    "genres": ["Crime", "Suspense", "Gastronomy"],
    "cast": ["Al Pacino", "Robert De Niro", "Al Pacino"],
    "wikipedia": "Heat_(1995_film)",
}
RONIN = {"id": 2, "title": "Ronin", "year": 1998, "genres": [], "cast": [], "wikipedia": None}
NONE_DOUBTED = "; matched 0, ambiguous 0, ids of another movie 0"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_catalogue_file_is_in_log_and_tables_after_import(command, store, write, pack):
    output = command("import_catalogue", write(HEAT, RONIN, pack=pack))
    assert output.splitlines() == [
        f"read 2, added 2, changed 0, unchanged 0, broken 0{NONE_DOUBTED}",
        "left out genres that are not in our table: Gastronomy (1)",
    ]
    movie = inline_projection.movie_states([1])[1]
    assert movie.facts == MovieFacts(
        title="Heat", year=1995, genres=("Crime", "Thriller"), cast=("Al Pacino", "Robert De Niro")
    )
    assert movie.external_ids == {("wikipedia", "Heat_(1995_film)")}
    [added] = store.read(stream_of(1))
    assert added.event.title == "Heat"


def test_line_may_hold_directors_prominence_and_ids_of_other_sources(command, store, write):
    known = {"directors": ["Michael Mann", "Michael Mann "], "prominence": 80}
    command("import_catalogue", write(HEAT | known, RONIN | {"directors": None}))
    states = inline_projection.movie_states([1, 2])
    heat, ronin = states[1].facts, states[2].facts
    assert heat
    assert ronin
    assert (heat.directors, heat.prominence) == (("Michael Mann",), 80)
    assert (ronin.directors, ronin.prominence) == ((), None)
    [added] = store.read(stream_of(1))
    assert (added.event.directors, added.event.prominence) == (("Michael Mann",), 80)


@pytest.mark.parametrize("prominence", [-1, 101, "80", 1.5])
def test_prominence_out_of_range_is_a_broken_line(command, write, capsys, prominence):
    output = command("import_catalogue", write(HEAT, RONIN | {"prominence": prominence}))
    assert output.startswith("read 2, added 1, changed 0, unchanged 0, broken 1;")
    assert "prominence" in capsys.readouterr().err


def test_repeated_catalogue_import_appends_changes_only(command, store, write):
    command("import_catalogue", write(HEAT, RONIN))
    output = command("import_catalogue", write(HEAT, RONIN | {"year": 1999}))
    assert output.startswith("read 2, added 0, changed 1, unchanged 1, broken 0;")
    assert [recorded.version for recorded in store.read(stream_of(2))] == [1, 2]
    assert Movie.objects.get(pk=2).year == 1999
    repeated = command("import_catalogue", write(HEAT, RONIN | {"year": 1999}))
    assert repeated.startswith("read 2, added 0, changed 0, unchanged 2, broken 0;")


def test_broken_catalogue_lines_are_reported_and_the_rest_imported(command, write, capsys):
    path = write(
        HEAT,
        b"{not json",
        RONIN | {"title": "x" * 501},
        RONIN | {"title": "  "},
        RONIN | {"id": 0},
        RONIN | {"id": 1_000_001},
        RONIN | {"year": "1998"},
        RONIN | {"cast": [""]},
        b"",
        HEAT | {"title": "Heat again"},
        RONIN | {"overview": "a\0b"},
        b'{"id": 3}',
        b"\xff\xfe",
        b'["a list"]',
        RONIN,
    )
    output = command("import_catalogue", path)
    assert output.startswith("read 14, added 2, changed 0, unchanged 0, broken 12;")
    messages = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in messages] == [
        "2", "3", "4", "5", "6", "7", "8", "10", "11", "12", "13", "14",
    ]  # fmt: skip
    assert messages[1] == "movies.jsonl:3: Expected `str` of length <= 500 - at `$.title`"
    assert messages[7] == "movies.jsonl:10: id 1 was on line 1 already"


def test_first_broken_lines_are_printed_and_the_others_counted(command, write, capsys):
    command("import_catalogue", write(HEAT, *[b"?"] * 50))
    messages = capsys.readouterr().err.splitlines()
    assert len(messages) == 21
    assert messages[-1] == "movies.jsonl: 30 more broken lines"


MANY = [RONIN | {"id": n, "title": f"Ronin {n * 7919 % 10_007}"} for n in range(1, 2001)]
DAMAGES = {
    "cut": lambda packed: packed[: len(packed) // 2],
    "checksum": lambda packed: packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:],
    "length": lambda packed: packed[:-1] + bytes([packed[-1] ^ 1]),
    "cut in the checksum": lambda packed: packed[:-3],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_nothing_of_a_damaged_gzipped_catalogue_is_imported(store, write, damage):
    path, output, heads = write(*MANY, pack=gzip.compress), io.StringIO(), store.heads()
    path.write_bytes(damage(path.read_bytes()))
    reason = (
        r"^movies\.jsonl:\d+: the file (was cut short|is damaged from) .*\nNothing was imported"
    )
    with pytest.raises(CommandError, match=reason) as error:
        call_command("import_catalogue", str(path), stdout=output)
    assert error.value.returncode == 1
    assert (Movie.objects.count(), store.heads(), output.getvalue()) == (0, heads, "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_catalogue_file_is_read_in_every_encoding(command, write, encoding):
    lines = [json.dumps(HEAT | {"title": "Amélie"}, ensure_ascii=False), "", json.dumps(RONIN), " "]
    path = write()
    path.write_bytes("\r\n".join(lines).encode(encoding))
    assert command("import_catalogue", path).startswith("read 2, added 2,")
    assert Movie.objects.get(pk=1).title == "Amélie"


def test_unreadable_external_ids_are_reported_and_cost_no_movie(command, write, capsys):
    path = write(
        HEAT | {"external_ids": {"imdb": None, "tmdb": 949}},
        RONIN | {"external_ids": {"imdb": "nm0000134", "tmdb": 8195.0, "IMDB": "TT0122690"}},
    )
    output = command("import_catalogue", path).splitlines()
    assert output[0].startswith("read 2, added 2, changed 0, unchanged 0, broken 0;")
    assert output[1] == "left out external ids that can't be read: 1"
    message = "movies.jsonl:2: 'imdb': 'nm0000134' is not an id like tt0114369\n"
    assert capsys.readouterr().err == message
    links = ExternalId.objects.exclude(source="wikipedia").values_list("source", "value", "movie")
    assert sorted(links) == [("imdb", "tt0122690", 2), ("tmdb", "8195", 2), ("tmdb", "949", 1)]


@pytest.mark.parametrize("title", ["\u200b", "He\u202eat", "\x1b[2J", "\u3164"])
def test_title_with_hidden_characters_is_not_taken(command, write, capsys, title):
    output = command("import_catalogue", write(HEAT | {"title": title}, RONIN))
    assert output.startswith("read 2, added 1, changed 0, unchanged 0, broken 1;")
    assert capsys.readouterr().err.startswith("movies.jsonl:1: title: ")
    assert [movie.title for movie in Movie.objects.all()] == ["Ronin"]


@pytest.mark.parametrize("rows", [[], [b"?"], [b"?", b"??"]])
def test_catalogue_file_without_a_movie_is_an_error(command, write, rows):
    with pytest.raises(CommandError, match="could be read as a movie"):
        command("import_catalogue", write(*rows))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "No file given"),
        (["/no/such/file"], "There is no file /no/such/file"),
        (["/"], "no file"),
    ],
)
def test_missing_catalogue_file_exits_with_2(command, words, reason):
    with pytest.raises(CommandError, match=reason) as error:
        command("import_catalogue", *words)
    assert error.value.returncode == 2


def test_second_import_is_refused_while_one_runs(command, write):
    def hold_the_lock():
        with import_lock():
            held.set()
            done.wait(60)
        connection.close()

    held, done = Event(), Event()
    rival = Thread(target=hold_the_lock)
    rival.start()
    assert held.wait(60)
    try:
        with pytest.raises(CommandError, match="Another import is running"):
            command("import_catalogue", write(HEAT))
    finally:
        done.set()
        rival.join()
    assert command("import_catalogue", write(HEAT)).startswith("read 1, added 1,")
