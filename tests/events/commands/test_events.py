"""manage.py events: log, verify, export and import."""

import gzip
import re
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from events import codec
from events.archive import archive
from events.catalogue import MovieLinked, MovieRated
from events.recorded import Origin, Stream
from events.store import AppendEntry
from events.store.postgres import PostgresStore
from infra.config import config

ORIGIN = Origin(correlation_id=UUID(int=7), causation_id="1-1", traceparent="00-ab-cd-01")
ARCHIVES = Path(__file__).parents[2] / "fixtures" / "archives"
V2 = ARCHIVES / "marquee-log.v2.jsonl"
ANN = UUID("7b0f6b52-6d2c-4f6e-9e0b-0c8a4f3c9a10")


@pytest.fixture
def store(db):
    store = PostgresStore(config().partitions)
    users = [ANN, *(uuid4() for _ in range(40))]
    entries = [
        AppendEntry(
            Stream(f"rating-{user}-{movie}", str(user)),
            1,
            MovieRated(user_id=user, movie_id=movie, score=7),
        )
        for user in users
        for movie in range(3)
    ]
    store.append_many(entries, origin=ORIGIN)
    link = MovieLinked(movie_id=3, source="a\ttab", external_id='"quoted\\ é"')
    store.append(Stream("movie-3", "3"), [link], expected=0, origin=ORIGIN)
    return store


def run(*words):
    out = StringIO()
    call_command("events", *words, stdout=out)
    return out.getvalue().splitlines()


def stored_events():
    with connection.cursor() as cursor:
        cursor.execute('SELECT events::text FROM events ORDER BY partition, "offset"')
        return cursor.fetchall()


def delete_all_events():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events")
        cursor.execute("UPDATE partitions SET head = 0")


def test_events_log_shows_the_last_event(store):
    [line] = run("log", "--last", "1")
    assert "movie-3@1" in line
    assert '"source":"a\\ttab"' in line


def test_events_log_shows_a_users_events_as_cloud_events(store):
    lines = run("log", "--user", str(ANN), "--type", "movie-rated", "--json")
    assert [msgspec.json.decode(line)["subject"] for line in lines] == [
        f"rating-{ANN}-{movie}" for movie in range(3)
    ]


def test_events_verify_accepts_an_intact_log(store):
    assert run("verify") == ["124 events: all are readable, no gaps."]


def test_events_verify_fails_on_a_broken_log(store):
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE events SET data = '{"type":"movie-rated.v1"}' WHERE version = 1""")
    with pytest.raises(CommandError, match="124 faults in 124 events"):
        run("verify")


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz"])
def test_exported_log_is_imported_unchanged(store, tmp_path, name):
    before, heads = stored_events(), store.heads()
    assert run("export", str(tmp_path / name)) == [f"124 events in {tmp_path / name}."]
    delete_all_events()
    assert run("import", str(tmp_path / name)) == ["124 events imported."]
    assert stored_events() == before
    assert store.heads() == heads
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_interrupted_import_resumes(store, tmp_path):
    before, archive, cut = stored_events(), tmp_path / "log.jsonl", tmp_path / "cut.jsonl"
    run("export", str(archive))
    lines = archive.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:60]))
    delete_all_events()
    with pytest.raises(CommandError, match="cut short"):
        run("import", str(cut))
    assert len(stored_events()) == 59
    assert run("import", str(archive)) == ["65 events imported."]
    assert stored_events() == before
    assert run("import", str(archive)) == ["0 events imported."]


def test_import_of_a_truncated_archive_keeps_its_events(store, tmp_path):
    before, archive, cut = stored_events(), tmp_path / "log.jsonl", tmp_path / "cut.jsonl"
    run("export", str(archive))
    cut.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    delete_all_events()
    with pytest.raises(CommandError, match="The file was cut short") as error:
        run("import", str(cut))
    assert error.value.returncode == 1
    imported = len(stored_events())
    assert 0 < imported < 124
    assert run("import", str(archive)) == [f"{124 - imported} events imported."]
    assert stored_events() == before


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda packed: packed[: len(packed) * 2 // 3], "the file was cut short here"),
        (lambda packed: packed[:-3], "the file was cut short here"),
        (
            lambda packed: packed[:-6] + bytes([packed[-6] ^ 0xFF]) + packed[-5:],
            "the file is damaged from here on: CRC check failed",
        ),
    ],
)
def test_nothing_of_a_damaged_gzipped_archive_is_imported(store, tmp_path, damage, reason):
    path = tmp_path / "log.jsonl.gz"
    run("export", str(path))
    path.write_bytes(damage(path.read_bytes()))
    delete_all_events()
    message = rf"^log\.jsonl\.gz:\d+: {reason}.*\nNothing was imported\."
    with pytest.raises(CommandError, match=message) as error:
        run("import", str(path))
    assert error.value.returncode == 1
    assert stored_events() == []
    assert sum(store.heads()) == 0


@pytest.mark.parametrize(
    "write",
    [
        lambda content: content.decode().encode("utf-8-sig"),
        lambda content: content.decode().encode("utf-16"),
        lambda content: content.replace(b"\n", b"\r\n\r\n"),
        gzip.compress,  # under a name without .gz
    ],
)
def test_archive_that_another_program_wrote_is_imported(store, tmp_path, write):
    before, path = stored_events(), tmp_path / "log.jsonl"
    run("export", str(path))
    path.write_bytes(write(path.read_bytes()))
    delete_all_events()
    assert run("import", str(path)) == ["124 events imported."]
    assert stored_events() == before


@pytest.mark.parametrize(
    ("offset", "utc"), [("-16:00", "2020-06-16 04"), ("+23:59", "2020-06-14 12:01")]
)
def test_times_of_an_archive_are_converted_to_utc(db, tmp_path, offset, utc):
    path = tmp_path / "log.jsonl"
    time = f'"time":"2020-06-15T12:00:00{offset}"'
    path.write_text(re.sub('"time":"[^"]+"', time, V2.read_text()))
    assert run("import", str(path)) == ["42 events imported."]
    assert run("log", "--last", "1", "--json")[0].count(utc.replace(" ", "T")) == 1


def test_archive_line_that_is_not_utf_8_is_refused(store, tmp_path):
    path = tmp_path / "log.jsonl"
    run("export", str(path))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9"))
    delete_all_events()
    with pytest.raises(CommandError, match=r"Line \d+ is not an event of this log: not UTF-8"):
        run("import", str(path))


def test_archive_is_a_header_followed_by_cloud_events(store, tmp_path):
    path = tmp_path / "log.jsonl"
    run("export", str(path))
    first, *lines = path.read_text().splitlines()
    assert msgspec.json.decode(first) == {
        "format": "marquee-log.v2",
        "partitions": store.partitions,
        "heads": store.heads(),
    }
    assert lines == [
        codec.to_wire(stored).decode()
        for partition in range(store.partitions)
        for stored in store.page_stored(partition, after=0, limit=1000)
    ]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_archives_of_every_released_format_are_imported(db, tmp_path, version):
    path = ARCHIVES / f"marquee-log.{version}.jsonl"
    assert run("import", str(path)) == ["42 events imported."]
    assert run("verify") == ["42 events: all are readable, no gaps."]
    run("export", str(tmp_path / "again.jsonl"))
    assert (tmp_path / "again.jsonl").read_text() == V2.read_text()


def test_import_refuses_a_log_with_other_events(store, tmp_path):
    path = tmp_path / "log.jsonl"
    run("export", str(path))
    delete_all_events()
    link = MovieLinked(movie_id=3, source="imdb", external_id="tt1")
    store.append(Stream("movie-3", "3"), [link], expected=0, origin=ORIGIN)
    heads = store.heads()
    with pytest.raises(CommandError, match=r"differs from this log"):
        run("import", str(path))
    assert len([it for it in stored_events() if "tt1" in it[0]]) == 1
    assert store.heads()[heads.index(1)] == 1


def test_import_refuses_a_log_that_is_ahead_of_the_archive(store, tmp_path):
    path = tmp_path / "log.jsonl"
    run("export", str(path))
    link = MovieLinked(movie_id=3, source="imdb", external_id="tt1")
    store.append(Stream("movie-3", "3"), [link], expected=1, origin=ORIGIN)
    with pytest.raises(CommandError, match=r"events in this log"):
        run("import", str(path))
    assert len(stored_events()) == 125


def header(**changes):
    """The header of the archive, with other values."""
    first, *_ = V2.read_bytes().splitlines()
    return msgspec.json.encode(msgspec.json.decode(first) | changes) + b"\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an archive"),
        (b"{}\n", "not an archive"),
        (b'{"format":"marquee-log.v1","partitions":3,"heads":[0,0,0]}\n', "3 partitions"),
        (b'{"format":"marquee-log.v9","partitions":3,"heads":[0,0,0]}\n', "not an archive"),
        (header(heads=[]), r"Line 1 .* 0 heads for 64 partitions"),
        (header(heads=[0] * 63), "63 heads for 64 partitions"),
        (header(heads=[0] * 65), "65 heads for 64 partitions"),
        (header(heads=[-1] * 64), r"line 1: .*heads\[0\]"),
        (header(heads=[2**63] * 64), r"line 1: .*heads\[0\]"),
        (header(heads=[10**30] * 64), r"line 1: "),
        (header(heads=["1"] * 64), r"line 1: .*heads\[0\]"),
        (header(partitions=0, heads=[]), r"line 1: .*partitions"),
        (header(partitions=-64), r"line 1: .*partitions"),
        (b'{"format":' + b"x" * 3000, "line 1: longer than 2000 bytes"),
        (b'{"note":' + b"[" * 1900, "line 1: .*recursion"),
    ],
)
def test_import_refuses_files_that_are_not_archives_of_this_log(
    db, tmp_path, monkeypatch, content, reason
):
    monkeypatch.setattr(archive, "LONGEST_LINE", 2000)
    path = tmp_path / "log.jsonl"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=reason):
        run("import", str(path))


def test_import_names_a_line_that_is_not_an_event(store, tmp_path):
    path = tmp_path / "log.jsonl.gz"
    run("export", str(path))
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    lines[9] = b"{}\n"
    path.write_bytes(gzip.compress(b"".join(lines)))
    delete_all_events()
    with pytest.raises(CommandError, match="Line 10 is not an event"):
        run("import", str(path))
    assert len(stored_events()) == 8


@pytest.mark.parametrize(("order", "good"), [((1, 1), 1), ((2, 1), 0), ((1, 3), 1), ((1, 2, 2), 2)])
def test_import_stops_at_events_out_of_order(db, tmp_path, order, good):
    first, *lines = V2.read_text().splitlines(keepends=True)
    path = tmp_path / "log.jsonl"
    path.write_text(first + "".join(lines[nth - 1] for nth in order))
    with pytest.raises(CommandError, match="not the next event of its partition"):
        run("import", str(path))
    assert len(stored_events()) == good


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"partition": -1}, "Line 3 .* there is no partition -1"),
        ({"partition": 64}, "Line 3 .* there is no partition 64"),
        ({"partition": 10**30}, "Line 3 .* there is no partition 10+"),
        ({"partition": "1"}, "Line 3 is not an event"),
        ({"offset": 0}, "Line 3 is not the next event of its partition"),
        ({"offset": -2}, "Line 3 is not the next event of its partition"),
        ({"offset": 2**63}, "Line 3 is not the next event of its partition"),
        ({"streamversion": 0}, "Line 3 .* 0 is no stream version"),
        ({"streamversion": 2**31}, "Line 3 .* 2147483648 is no stream version"),
        ({"subject": "a\0b"}, r"Line 3 .* has the character U\+0000"),
        ({"traceparent": "\0"}, r"Line 3 .* has the character U\+0000"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "Line 3 .* years 1 and 9999"),
        ({"recordedtime": "9999-12-31T23:59:59-14:00"}, "Line 3 .* years 1 and 9999"),
        ({"time": "2026-01-01T00:00:00"}, "Line 3 is not an event"),
        ({"data": "x" * 3000}, "Line 3 .* longer than 2000 bytes"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else None,
)
def test_import_names_the_line_with_an_impossible_value(db, tmp_path, monkeypatch, change, reason):
    monkeypatch.setattr(archive, "LONGEST_LINE", 2000)
    first, second, third, *rest = V2.read_bytes().splitlines(keepends=True)
    changed = msgspec.json.encode(msgspec.json.decode(third) | change) + b"\n"
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join([first, second, changed, *rest]))
    with pytest.raises(CommandError, match=reason):
        run("import", str(path))
    assert len(stored_events()) == 1


def test_import_names_the_line_that_the_database_refuses(db, tmp_path):
    """Its stream has an event of this version on an earlier line."""
    first, second, third, *rest = V2.read_bytes().splitlines(keepends=True)
    event = msgspec.json.decode(second)
    again = {name: event[name] for name in ("subject", "streamversion")}
    changed = msgspec.json.encode(msgspec.json.decode(third) | again) + b"\n"
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join([first, second, changed, *rest]))
    with pytest.raises(CommandError, match="Line 3 can't be stored"):
        run("import", str(path))
    assert len(stored_events()) == 1


def test_import_refuses_deeply_nested_data(db, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(header() + b'{"data":' + b"[" * 100_000 + b"\n")
    with pytest.raises(CommandError, match="Line 2 is not an event"):
        run("import", str(path))


@pytest.mark.parametrize("size", [1, 2000])
def test_import_appends_batches_of_bounded_size(db, monkeypatch, size):
    monkeypatch.setattr(archive, "_BATCH_BYTES", size)
    assert run("import", str(V2)) == ["42 events imported."]
    assert run("verify") == ["42 events: all are readable, no gaps."]


def test_import_names_a_file_that_cannot_be_read(db, tmp_path):
    with pytest.raises(CommandError, match="nowhere"):
        run("import", str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(CommandError, match="directory"):
        run("import", str(tmp_path))


def test_imported_log_has_planner_statistics(db):
    run("import", str(V2))
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::int FROM pg_class WHERE oid = 'events'::regclass")
        assert cursor.fetchone() == (42,)
