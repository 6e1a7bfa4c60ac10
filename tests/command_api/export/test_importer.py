"""Import of an export file on a platform with other movie ids."""

from io import StringIO
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
from command_api.export.format import AccountLine, ExportedMovie
from events.recorded import Origin
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


def import_account(path) -> str:
    out = StringIO()
    call_command("bring_along", str(path), "bob", stdout=out)
    return out.getvalue()


def exported_lines(user_id) -> list[dict[str, object]]:
    """All lines without account, start times and ids."""
    return [
        {
            name: getattr(line, name)
            for name in line.__struct_fields__
            if name not in ("id", "since", "created_at")
        }
        for line in lines(user_id, event_store.store())
        if not isinstance(line, AccountLine)
    ]


def test_imported_account_equals_the_exported_one(exported_account):
    path, ann, bob = exported_account
    assert "0 movies have no or no certain match here" in import_account(path)
    assert exported_lines(bob) == exported_lines(ann)


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
    }
    assert importer._local_ids(movies) == {1: 1, 2: 10, 99: 10, 11: 11}


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
