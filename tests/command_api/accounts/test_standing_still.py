"""Registration and its cleanup when one of them pauses for very long."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from command_api.accounts import registration, reservation_cleanup
from command_api.accounts.tasks import sweep_reservations
from events.vault import erasures, subjects
from events.vault.models import Subject
from tests.command_api.accounts.test_registration import grow_old, states
from tests.command_api.conftest import in_thread, log_rows

PATIENCE_SECONDS = 120


class Frozen:
    """Somebody who stands still, for a while, before or after what they do in one place."""

    def __init__(self, monkeypatch, module: Any, name: str, *, after: bool = False) -> None:
        self._arrived, self._thawed = Event(), Event()
        self._is_after = after
        self._goes_on: Callable[..., Any] = getattr(module, name)
        monkeypatch.setattr(module, name, self._do)

    def _do(self, *args: Any, **kwargs: Any) -> Any:
        if self._arrived.is_set():  # only the first one stands still
            return self._goes_on(*args, **kwargs)
        if not self._is_after:
            self._stand_still()
            return self._goes_on(*args, **kwargs)
        done = self._goes_on(*args, **kwargs)
        self._stand_still()
        return done

    def _stand_still(self) -> None:
        self._arrived.set()
        assert self._thawed.wait(PATIENCE_SECONDS)

    def wait(self) -> None:
        """Until they do."""
        assert self._arrived.wait(PATIENCE_SECONDS)

    def thaw(self) -> None:
        """Let them go on."""
        self._thawed.set()


@pytest.fixture
def frozen(monkeypatch, aside):  # who stands still goes on before others wait for them
    """Makes places where the first to come stands still."""
    made: list[Frozen] = []

    def freeze(module, name, *, after=False):
        made.append(Frozen(monkeypatch, module, name, after=after))
        return made[-1]

    yield freeze
    for each in made:
        each.thaw()


@pytest.fixture
def aside():
    """Does something at the same time."""
    with ThreadPoolExecutor() as pool:

        def do(work, *args) -> Future[Any]:
            return pool.submit(in_thread(work), *args)

        yield do


def registered():
    return [type_ for type_, _ in log_rows()].count("user-registered.v1")


def test_registration_fails_if_its_reservation_was_released_while_it_paused(
    register, log_in, frozen, aside
):
    before_it_appends = frozen(registration, "_append")
    slow = aside(register, "ann")
    before_it_appends.wait()
    grow_old()
    assert register("ann", password="another horse battery").status_code == 201
    before_it_appends.thaw()
    answer = slow.result(PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    # Not in the log either: there projectors would wait for a key that is nowhere.
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann", "another horse battery").status_code == 200


def test_reservation_is_not_released_while_the_registration_appends(
    register, log_in, frozen, aside
):
    before_it_commits = frozen(reservation_cleanup, "renew", after=True)
    slow = aside(register, "ann")
    before_it_commits.wait()
    grow_old()
    assert sweep_reservations() == 0
    assert register("ann").status_code == 409
    before_it_commits.thaw()
    assert slow.result(PATIENCE_SECONDS).status_code == 201
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann").status_code == 200


def overtaken(register, frozen, aside):
    """A registration that goes on while a sweep stands still that has looked, its lock lost.

    The registration, the sweep, and where the sweep stands.
    """
    before_it_appends = frozen(registration, "_append")
    before_it_gives_up = frozen(subjects, "release")
    slow = aside(register, "ann")
    before_it_appends.wait()
    grow_old()
    sweep = aside(sweep_reservations)
    before_it_gives_up.wait()
    lose_locks()
    before_it_appends.thaw()
    return slow, sweep, before_it_gives_up


def test_expired_reservation_is_not_released_after_registration_completed(
    register, log_in, frozen, aside
):
    slow, sweep, before_it_gives_up = overtaken(register, frozen, aside)
    assert slow.result(PATIENCE_SECONDS).status_code == 201
    before_it_gives_up.thaw()
    assert isinstance(sweep.exception(PATIENCE_SECONDS), InterfaceError | OperationalError)
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann").status_code == 200


def test_reservation_is_not_released_after_append_before_activation(register, frozen, aside):
    before_it_activates = frozen(subjects, "activate")
    slow, sweep, before_it_gives_up = overtaken(register, frozen, aside)
    before_it_activates.wait()
    before_it_gives_up.thaw()
    sweep.exception(PATIENCE_SECONDS)
    assert (registered(), states()) == (1, ["reserved"])
    before_it_activates.thaw()
    assert slow.result(PATIENCE_SECONDS).status_code == 201
    assert states() == ["active"]


def test_user_erased_during_registration_stays_erased(register, frozen, aside):
    before_it_activates = frozen(subjects, "activate")
    slow = aside(register, "ann")
    before_it_activates.wait()
    grow_old()
    assert sweep_reservations() == 1
    user_id = Subject.objects.values_list("user_id", flat=True).get()
    erasures.begin(user_id)
    erasures.destroy_key(user_id)
    before_it_activates.thaw()
    assert slow.result(PATIENCE_SECONDS).status_code == 201
    assert states() == ["erased"]


def lose_locks():
    """What the database does with who stands still in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = 4294967295 & hashtext('reservations')::bigint"
        )
        assert cursor.fetchone() == (1,)
