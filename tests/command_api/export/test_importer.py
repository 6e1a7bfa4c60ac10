"""Import of an export file on a platform with other movie ids."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from command_api import event_store
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import (
    AddMovie,
    LinkMovie,
    MovieCommand,
    MovieFacts,
    WithdrawMovie,
)
from command_api.export import importer
from command_api.export.exporter import lines
from command_api.export.format import (
    AccountLine,
    ExportedMovie,
    FavouriteLine,
    PlaylistLine,
    RatingLine,
)
from events.recorded import Origin
from infra.http import strict_json
from tests.command_api.conftest import ALIEN, HEAT, bearer
from tests.command_api.export.test_api import send_every_command

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


@pytest.fixture
def exported_account(api, register, log_in, tmp_path):
    """Ann's export file, Ann, and Bob, who imports it."""
    register("ann", genres=["War"])
    ann = bearer(log_in())
    send_every_command(api, ann)
    path = tmp_path / "me.jsonl"
    path.write_bytes(api("GET", "/v1/me/export", by=ann).getvalue())
    register("bob")
    return path, ann.user_id, bearer(log_in("bob")).user_id


EXPORTED_KINDS = ["preferences", "rating", "rating", "favourite", "hidden", "playlist"]


def kinds_of(user_id) -> list[str]:
    """The kinds of a user's lines, without the account and the end."""
    exported = [
        json.loads(strict_json.encode(line)) for line in lines(user_id, event_store.store())
    ]
    return [line["kind"] for line in exported[1:-1]]


def import_account(path) -> str:
    out = StringIO()
    call_command("bring_along", str(path), "bob", stdout=out)
    return out.getvalue()


def exported_lines(user_id) -> list[dict[str, object]]:
    """All lines with their times, without account and ids."""
    return [
        {name: getattr(line, name) for name in line.__struct_fields__ if name != "id"}
        for line in lines(user_id, event_store.store())
        if not isinstance(line, AccountLine)
    ]


def test_imported_account_equals_the_exported_one(exported_account):
    path, ann, bob = exported_account
    assert "0 movies have no or no certain match here" in import_account(path)
    assert exported_lines(bob) == exported_lines(ann)


WRITINGS = {
    "with a byte order mark": lambda content: content.decode().encode("utf-8-sig"),
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "Windows": lambda content: content.decode().encode("cp1252").replace(b"\n", b"\r\n"),
    "blank lines": lambda content: content.replace(b"\n", b"\n\n \n"),
    "gzipped": gzip.compress,
}


@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
def test_account_is_imported_from_a_file_that_another_program_wrote(exported_account, write):
    path, ann, bob = exported_account
    path.write_bytes(write(path.read_bytes().replace(b"Rainy days", "Café".encode())))
    import_account(path)
    expected = [line | {"name": "Café"} if "name" in line else line for line in exported_lines(ann)]
    assert exported_lines(bob) == expected


def test_nothing_of_a_damaged_gzipped_export_is_imported(exported_account):
    path, _, bob = exported_account
    packed, heads = gzip.compress(path.read_bytes()), event_store.store().heads()
    for damaged in (packed[:-40], packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:]):
        path.write_bytes(damaged)
        with pytest.raises(CommandError, match=r"^me\.jsonl:\d+: .*\nNothing was imported\."):
            import_account(path)
    assert event_store.store().heads() == heads
    assert kinds_of(bob) == []


def changed_line(path, kind, change):
    """Change the lines of a kind in an export."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        if line["kind"] == kind:
            change(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2999-01-01T00:00:00Z", "The time 2999-01-01T00:00:00Z is in the future."),
        ("1989-12-31T23:59:59Z", "The time is before 1990."),
        ("0001-01-01T00:00:00+14:00", "the time is not between the years 1 and 9999 of UTC."),
        ("2020-06-15T12:00:00", "the time has no UTC offset."),
    ],
)
@pytest.mark.parametrize("kind", ["rating", "favourite", "hidden", "playlist"])
def test_impossible_time_costs_its_own_line_only(exported_account, capsys, kind, at, reason):
    path, _, bob = exported_account
    times = {"rating": "rated_at", "playlist": "created_at"}
    changed_line(
        path, kind, lambda line: line.get("rating", line).update({times.get(kind, "since"): at})
    )
    assert "lines were refused" in import_account(path)
    assert f": {reason}\n" in capsys.readouterr().err
    left = [line for line in EXPORTED_KINDS if line != kind]
    assert kinds_of(bob) == left


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        ("2020-06-15T12:00:00-16:00", datetime(2020, 6, 16, 4, tzinfo=UTC)),
        ("2020-06-15T12:00:00+23:59", datetime(2020, 6, 14, 12, 1, tzinfo=UTC)),
        ("2020-06-15T12:00:00.5Z", datetime(2020, 6, 15, 12, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_times_of_the_file_become_times_of_the_account_in_utc(exported_account, at, utc):
    path, _, bob = exported_account
    changed_line(path, "favourite", lambda line: line.update(since=at))
    changed_line(path, "playlist", lambda line: line.update(created_at=at))
    changed_line(path, "rating", lambda line: line["rating"].update(rated_at=at))
    import_account(path)
    by_kind: dict[type, Any] = {type(line): line for line in lines(bob, event_store.store())}
    assert by_kind[FavouriteLine].since == utc
    assert by_kind[PlaylistLine].created_at == utc
    assert by_kind[RatingLine].rating.rated_at == utc


def test_time_that_is_a_little_ahead_becomes_now(exported_account):
    path, _, bob = exported_account
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    changed_line(path, "favourite", lambda line: line.update(since=soon))
    import_account(path)
    [since] = [
        line.since for line in lines(bob, event_store.store()) if isinstance(line, FavouriteLine)
    ]
    assert since <= datetime.now(UTC)


def test_import_does_not_undo_what_was_changed_here_later(exported_account, api, log_in):
    path, _, bob = exported_account
    import_account(path)
    by_bob = bearer(log_in("bob"))
    assert api("DELETE", f"/v1/movies/{ALIEN}/favourite", by=by_bob).status_code == 204
    import_account(path)
    assert "favourite" not in kinds_of(bob)


@pytest.mark.parametrize("name", ["\u200b", "a\u202eb", "", "x" * 101])
def test_playlist_with_a_bad_name_costs_its_own_line_only(exported_account, name):
    path, _, bob = exported_account
    changed_line(path, "playlist", lambda line: line.update(name=name))
    assert "1 lines were refused" in import_account(path)
    assert kinds_of(bob) == [line for line in EXPORTED_KINDS if line != "playlist"]


@pytest.mark.parametrize(
    "preferences", [{"genres": ["Wa\u202er"]}, {"genres": ["\0"]}, {"strategy": "a b"}]
)
def test_preferences_that_the_api_refuses_cost_their_own_line_only(exported_account, preferences):
    path, _, bob = exported_account
    changed_line(path, "preferences", lambda line: line.update(preferences))
    assert "1 lines were refused" in import_account(path)
    assert kinds_of(bob) == [line for line in EXPORTED_KINDS if line != "preferences"]


@pytest.mark.parametrize(
    "movie",
    [
        {"id": 2**63},
        {"id": -1},
        {"year": 10**15},
        {"external_ids": {"imdb": "\0", "\0": "1", "tmdb": {}, "trakt": "x" * 100_000}},
    ],
)
def test_impossible_movie_is_unknown_and_costs_no_other(exported_account, movie):
    path, _, bob = exported_account
    other = {"id": 77, "title": "Nowhere", "external_ids": None}
    changed_line(path, "favourite", lambda line: line["movie"].update(other | movie))
    assert "1 movies have no or no certain match here; 0 lines were refused" in import_account(path)
    assert kinds_of(bob) == [line for line in EXPORTED_KINDS if line != "favourite"]


def test_numbers_of_a_table_are_read(exported_account):
    path, ann, bob = exported_account
    numbers = {"year": float, "id": float}
    changed_line(
        path,
        "favourite",
        lambda line: line["movie"].update(
            {name: kind(line["movie"][name]) for name, kind in numbers.items()}
        ),
    )
    import_account(path)
    assert exported_lines(bob) == exported_lines(ann)


@pytest.mark.parametrize("title", ['"Al\\u0000ien"', "[" * 100_000])
def test_movie_that_cannot_be_read_costs_its_own_line_only(exported_account, capsys, title):
    path, _, bob = exported_account
    lines = path.read_text().splitlines()
    broken = [
        line.replace('"Alien"', title) if '"kind":"favourite"' in line else line for line in lines
    ]
    path.write_text("\n".join(broken) + "\n")
    with pytest.raises(CommandError, match="1 lines could not be read"):
        import_account(path)
    assert kinds_of(bob) == [line for line in EXPORTED_KINDS if line != "favourite"]


def test_line_that_cannot_be_read_is_named_and_the_others_imported(exported_account, capsys):
    path, _, bob = exported_account
    content = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([content[0], b'{"kind":"poem"}', *content[2:]]))
    with pytest.raises(CommandError, match="1 lines could not be read"):
        import_account(path)
    assert "me.jsonl:2: Invalid value 'poem'" in capsys.readouterr().err
    assert kinds_of(bob) == [line for line in EXPORTED_KINDS if line != "preferences"]


def test_import_accepts_older_files_without_verification_status(exported_account):
    path, ann, bob = exported_account
    path.write_bytes(path.read_bytes().replace(b',"email_verified":false', b""))
    assert b"email_verified" not in path.read_bytes()
    import_account(path)
    assert exported_lines(bob) == exported_lines(ann)


def test_import_of_the_same_file_again_changes_nothing(exported_account):
    path, _, bob = exported_account
    import_account(path)
    before, heads = exported_lines(bob), event_store.store().heads()
    import_account(path)
    assert (exported_lines(bob), event_store.store().heads()) == (before, heads)


def test_import_works_page_by_page(exported_account, monkeypatch):
    path, ann, bob = exported_account
    monkeypatch.setattr(importer, "_PAGE", 1)
    import_account(path)
    assert exported_lines(bob) == exported_lines(ann)


def test_import_of_a_truncated_file_keeps_its_good_part(exported_account):
    path, _, bob = exported_account
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CommandError, match="cut short"):
        import_account(path)
    assert len(exported_lines(bob)) > 3


def test_import_matches_movies_only_if_certain(api):
    added: list[MovieCommand] = [
        AddMovie(10, MovieFacts(title="Alien", year=1992)),
        AddMovie(11, MovieFacts(title="Twin", year=2000)),
        AddMovie(12, MovieFacts(title="Twin", year=2000)),
        LinkMovie(10, "imdb", "tt10"),
        LinkMovie(10, "catalogue", "7"),
        LinkMovie(12, "imdb", "tt0113277"),
        LinkMovie(12, "tmdb", "949"),
    ]
    handle_all(added, event_store.store(), origin=Origin(correlation_id=uuid4()))

    def exported_movie(number, title, year, **external):
        return {number: ExportedMovie(id=number, title=title, year=year, external_ids=external)}

    movies = {
        **exported_movie(1, "Alien", 1979),  # same id and movie here
        **exported_movie(2, "Alien", 1992),  # id 2 is another movie here
        **exported_movie(99, "Other title", 1992, imdb="tt10"),
        **exported_movie(11, "Twin", 2000),
        **exported_movie(98, "Twin", 2000),  # ambiguous
        **exported_movie(97, "Nowhere", 2000, wikipedia="Alien"),
        **exported_movie(96, "Elsewhere", 2000, catalogue="7"),
        **exported_movie(95, "Written by a table", 2000, imdb="113277", tmdb=None),
        **exported_movie(94, "Written by another", 2000, imdb=None, tmdb=949.0),
    }
    assert importer._local_ids(movies) == {1: 1, 2: 10, 99: 10, 11: 11, 95: 12, 94: 12}


@pytest.mark.usefixtures("api")
def test_import_matches_no_withdrawn_movie():
    commands: list[MovieCommand] = [
        AddMovie(10, MovieFacts(title="Alien", year=1979)),
        LinkMovie(HEAT, "imdb", "tt2"),
        WithdrawMovie(ALIEN, "a double"),
        WithdrawMovie(HEAT, "no film"),
    ]
    handle_all(commands, event_store.store(), origin=Origin(correlation_id=uuid4()))
    movies = {
        ALIEN: ExportedMovie(id=ALIEN, title="Alien", year=1979, external_ids={}),
        HEAT: ExportedMovie(id=HEAT, title="Heat", year=1995, external_ids={"imdb": "tt2"}),
    }
    assert importer._local_ids(movies) == {ALIEN: 10}


@pytest.mark.parametrize("source", ["movielens", "movielens:ml-1m"])
def test_film_number_of_another_platform_matches_no_movie(api, source):
    """Each data set numbers films anew, and the other platform has other data sets."""
    suspects = AddMovie(10, MovieFacts(title="The Usual Suspects", year=1995), ((source, "50"),))
    star_wars = AddMovie(11, MovieFacts(title="Star Wars", year=1977))
    handle_all([suspects, star_wars], event_store.store(), origin=Origin(correlation_id=uuid4()))
    movies = {
        number: ExportedMovie(id=number, title=title, year=year, external_ids={source: "50"})
        for number, title, year in ((97, "Star Wars", 1977), (98, "Toy Story", 1995))
    }
    assert importer._local_ids(movies) == {97: 11}
