"""Upcasters: every reader gets old events in their current version.

There is no older version yet, so these are invented: ratings in stars (v-1), then in points under
another name (v0), then today's ``movie-rated.v1``.
"""

from datetime import UTC, datetime
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import call_command
from msgspec import ValidationError
from msgspec.structs import replace

from events import cloudevent, codec
from events.archive import archive
from events.archive.formats import FORMAT, ArchiveHeader
from events.catalogue import MovieRated
from events.recorded import Origin, Stored, Stream, partition_of
from events.store.postgres import PostgresStore
from events.store.restore import RestorableStore
from events.upcasters import UPCASTERS, upcast
from infra.config import config
from tests.fixtures.memory_store import MemoryStore

ANN = UUID("7b0f6b52-6d2c-4f6e-9e0b-0c8a4f3c9a10")
STREAM = Stream(f"rating-{ANN}-25", str(ANN))
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TODAY = MovieRated(user_id=ANN, movie_id=25, score=9)
OLD = {
    "movie-starred.v1": f'{{"type":"movie-starred.v1","user":"{ANN}","movie":25,"stars":4.5}}',
    "movie-rated.v0": f'{{"type":"movie-rated.v0","user_id":"{ANN}","movie_id":25,"points":9}}',
}


def from_stars(stored):
    return {
        "type": "movie-rated.v0",
        "user_id": stored["user"],
        "movie_id": stored["movie"],
        "points": int(stored["stars"] * 2),
    }


def from_points(stored):
    rest = {name: value for name, value in stored.items() if name != "points"}
    return rest | {"type": "movie-rated.v1", "score": stored["points"]}


@pytest.fixture(autouse=True)
def _upcasters(monkeypatch):
    monkeypatch.setitem(UPCASTERS, "movie-starred.v1", from_stars)
    monkeypatch.setitem(UPCASTERS, "movie-rated.v0", from_points)


@pytest.fixture(params=sorted(OLD))
def stored(request) -> Stored:
    return Stored(
        partition=partition_of(str(ANN), config().partitions),
        offset=1,
        stream=STREAM.name,
        version=1,
        type=request.param,
        data=OLD[request.param],
        occurred_at=NOON,
        recorded_at=NOON,
        correlation_id=UUID(int=7),
    )


def recorded(store, partition):
    [in_page] = store.page(partition, after=0, limit=9)
    [in_stream] = store.read(STREAM)
    [in_many] = store.read_many([STREAM])[STREAM.name]
    assert in_page == in_stream == in_many
    return in_page


def test_event_store_upcasts_old_events(stored, db):
    RestorableStore(config().partitions).restore([stored])
    upcast = recorded(PostgresStore(config().partitions), stored.partition)
    assert upcast.event == TODAY
    assert upcast == codec.decode_stored(stored)


def test_memory_store_upcasts_old_events(stored):
    store = MemoryStore(config().partitions)
    store.append(STREAM, [TODAY], expected=0, origin=Origin(correlation_id=stored.correlation_id))
    store._log[stored.partition][0] = stored
    assert recorded(store, stored.partition).event == TODAY


def test_bus_message_of_an_old_event_is_upcast(stored):
    assert codec.from_wire(codec.to_wire(stored)).event == TODAY


def test_archive_keeps_old_events_unchanged(stored, db, tmp_path):
    store = RestorableStore(config().partitions)
    store.restore([stored])
    path = tmp_path / "log.jsonl"
    [written] = archive.export_log(store, path)
    line = path.read_bytes().splitlines()[1]
    assert written == stored == cloudevent.unwrap(line)


def test_imported_archive_with_old_events_is_upcast_when_read(stored, db, tmp_path):
    heads = [0] * config().partitions
    heads[stored.partition] = 1
    header = ArchiveHeader(format=FORMAT, partitions=config().partitions, heads=heads)
    path = tmp_path / "log.jsonl"
    path.write_bytes(archive.encode_header(header) + cloudevent.wrap(stored) + b"\n")
    store = RestorableStore(config().partitions)
    assert list(archive.import_log(store, path)) == [1]
    assert list(store.page_stored(stored.partition, after=0, limit=9)) == [stored]
    assert recorded(store, stored.partition).event == TODAY


def test_log_with_old_events_passes_the_integrity_check(stored, db):
    RestorableStore(config().partitions).restore([stored])
    out = StringIO()
    call_command("events", "verify", stdout=out)
    assert out.getvalue().startswith("1 events: all are readable")


def test_old_event_without_a_required_field_is_refused(stored):
    for data in (f'{{"type":"{stored.type}"}}', f'{{"type":"{stored.type}","stars":"*"}}', "[]"):
        with pytest.raises(ValidationError):
            codec.decode_stored(replace(stored, data=data))


def test_upcaster_does_not_change_its_input(stored):
    old_event = {"type": "movie-rated.v0", "user_id": str(ANN), "movie_id": 25, "points": 9}
    unchanged = dict(old_event)
    assert upcast(old_event)["type"] == "movie-rated.v1"
    assert old_event == unchanged
