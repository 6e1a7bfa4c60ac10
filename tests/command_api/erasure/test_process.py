"""Erasure process: restarts, late events and restored backups."""

from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.models import F

from command_api import event_store
from command_api.accounts.decider import stream_of as account_of
from command_api.aggregate import handle
from command_api.erasure import process
from command_api.http import idempotency
from command_api.ratings.decider import RateMovie, rating
from events import notifications
from events.catalogue import UserErased
from events.recorded import Origin
from events.stream_names import erasure_of
from events.vault import erasures, subjects
from events.vault.erasures import SETTLED_AFTER
from events.vault.models import Erasure, Subject
from tests.command_api.conftest import ALIEN, HEAT, bearer

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


@pytest.fixture
def ann(register, log_in):
    register("ann")
    return bearer(log_in()).user_id


def origin():
    return Origin(correlation_id=uuid4())


def erase(user_id):
    process.mark_for_erasure(user_id)
    process.complete(user_id, origin=origin())


def rate(user_id, movie):
    handle(RateMovie(user_id, movie, 8), rating, event_store.store(), origin=origin())


def erasure_events(user_id):
    return [recorded.event for recorded in event_store.store().read(erasure_of(user_id))]


def a_minute_passes():
    Erasure.objects.update(erased_at=F("erased_at") - 2 * SETTLED_AFTER)


def is_done(user_id):
    progress = erasures.find(user_id)
    return progress is not None and progress.settled_at is not None


class Died(OperationalError):
    """Crash of the process, as its caller sees it."""


def dying(*_args, **_more):
    raise Died


@pytest.mark.parametrize(
    "step",
    [
        (erasures, "begin"),
        (process, "has_events_after_erasure"),
        (process, "playlists_of"),
        (process, "handle"),
        (idempotency, "forget_user"),
        (erasures, "destroy_key"),
        (notifications, "announce"),
    ],
    ids=lambda step: step[1],
)
def test_erasure_is_completed_after_a_crash_at_any_step(ann, step, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(*step, dying)
        with pytest.raises(Died):
            erase(ann)
    is_asked = step[1] != "begin"
    assert (erasures.find(ann) is not None) == is_asked
    if not is_asked:
        assert not erasures.is_erased(ann)
        return
    process.sweep()
    assert erasures.is_erased(ann)
    assert erasure_events(ann) == [UserErased(user_id=ann)]
    a_minute_passes()
    process.sweep()
    assert is_done(ann)
    assert erasure_events(ann) == [UserErased(user_id=ann)]
    assert process.sweep() == 0


def test_erasure_is_repeated_after_events_that_were_in_flight(ann):
    erase(ann)
    erasures.add_report_line(ann, "library 1", "gone")
    erasures.mark_gone(ann)
    assert erasures.incomplete() == []
    rate(ann, HEAT)  # by a process whose token cache is outdated
    assert process.sweep() == 0  # more events may be in flight
    a_minute_passes()
    assert process.sweep() == 1
    assert erasure_events(ann) == [UserErased(user_id=ann)] * 2
    assert not process.has_events_after_erasure(ann, event_store.store())
    assert is_done(ann)
    assert erasures.incomplete() == [ann]
    assert erasures.report_lines(ann) == []


def test_erasure_that_fails_does_not_block_other_erasures(ann, register, log_in, monkeypatch):
    register("bob")
    bob = bearer(log_in("bob")).user_id
    for user_id in (ann, bob):
        process.mark_for_erasure(user_id)
    destroy = erasures.destroy_key
    monkeypatch.setattr(
        erasures, "destroy_key", lambda user_id: dying() if user_id == ann else destroy(user_id)
    )
    assert process.sweep() == 2
    assert [erasures.is_erased(user_id) for user_id in (ann, bob)] == [False, True]


def test_erasure_is_repeated_in_a_restored_log(ann):
    """The vault has its own backup, so it remembers erasures that the restored log lacks."""
    rate(ann, ALIEN)
    erasures.begin(ann)
    erasures.destroy_key(ann)
    assert process.erase_again_in_log() == 1
    assert erasure_events(ann) == [UserErased(user_id=ann)]
    assert erasures.incomplete() == [ann]
    assert process.erase_again_in_log() == 0


def test_erased_user_missing_from_the_restored_log_is_skipped(api):
    unknown_user = uuid4()
    subjects.reserve(unknown_user, username="x", email="x@example.org", password_hash="")
    erasures.begin(unknown_user)
    erasures.destroy_key(unknown_user)
    assert event_store.store().versions([account_of(unknown_user)]) == {}
    assert process.erase_again_in_log() == 0


def test_erasure_is_repeated_in_a_restored_vault(ann):
    before = Subject.objects.get(user_id=ann)
    erase(ann)
    Erasure.objects.all().delete()
    before.save()  # as restored from the backup: names, key and password
    assert subjects.find("ann") is not None
    assert process.erase_again_in_vault() == 1
    assert subjects.find("ann") is None
    assert erasures.is_erased(ann)
    assert process.erase_again_in_vault() == 0


def test_erasure_reads_playlists_page_by_page(api, register, log_in, monkeypatch):
    register("ann")
    ann = bearer(log_in())
    playlist_ids = {
        api("POST", "/v1/playlists", {"name": f"{n}"}, by=ann).json()["id"] for n in range(5)
    }
    monkeypatch.setattr(process, "_PAGE", 2)
    named = list(process.playlists_of(ann.user_id, event_store.store()))
    assert len(named) == len(playlist_ids) == 5
    assert set(named) == playlist_ids
    erase(ann.user_id)
    [report_line] = erasure_events(ann.user_id)
    assert set(report_line.playlists) == playlist_ids


def test_unknown_user_cannot_be_erased(api):
    assert not process.mark_for_erasure(uuid4())
