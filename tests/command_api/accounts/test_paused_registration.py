"""Registration and its cleanup when one of them pauses for very long."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django.db.utils import InterfaceError, OperationalError

from command_api.accounts import registration, reservation_cleanup
from command_api.tasks import sweep_reservations
from events.vault import erasures, subjects
from events.vault.models import Subject
from tests.command_api.accounts.test_registration import expire_reservations, states
from tests.command_api.conftest import in_thread, log_rows

PATIENCE_SECONDS = 120


class PausedCall:
    """Pauses the first caller of a function, before or after the call."""

    def __init__(self, monkeypatch, module: Any, name: str, *, after: bool = False) -> None:
        self._arrived, self._resumed = Event(), Event()
        self._is_after = after
        self._original: Callable[..., Any] = getattr(module, name)
        monkeypatch.setattr(module, name, self._do)

    def _do(self, *args: Any, **kwargs: Any) -> Any:
        if self._arrived.is_set():  # only the first caller pauses
            return self._original(*args, **kwargs)
        if not self._is_after:
            self._pause()
            return self._original(*args, **kwargs)
        result = self._original(*args, **kwargs)
        self._pause()
        return result

    def _pause(self) -> None:
        self._arrived.set()
        assert self._resumed.wait(PATIENCE_SECONDS)

    def wait(self) -> None:
        """Wait until a caller has paused."""
        assert self._arrived.wait(PATIENCE_SECONDS)

    def resume(self) -> None:
        """Resume the paused caller."""
        self._resumed.set()


@pytest.fixture
def paused(
    monkeypatch, in_background
):  # paused callers go on before ``in_background`` waits for its threads
    """Pauses the first caller of a given function."""
    calls: list[PausedCall] = []

    def pause(module, name, *, after=False):
        calls.append(PausedCall(monkeypatch, module, name, after=after))
        return calls[-1]

    yield pause
    for each in calls:
        each.resume()


@pytest.fixture
def in_background():
    """Runs a function in another thread."""
    with ThreadPoolExecutor() as pool:

        def do(work, *args) -> Future[Any]:
            return pool.submit(in_thread(work), *args)

        yield do


def registered():
    return [type_ for type_, _ in log_rows()].count("user-registered.v1")


def test_registration_fails_if_its_reservation_was_released_while_it_paused(
    register, log_in, paused, in_background
):
    before_append = paused(registration, "_append")
    pending_registration = in_background(register, "ann")
    before_append.wait()
    expire_reservations()
    assert register("ann", password="another horse battery").status_code == 201
    before_append.resume()
    answer = pending_registration.result(PATIENCE_SECONDS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    # Not in the log either: projectors would wait for a key that does not exist.
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann", "another horse battery").status_code == 200


def test_reservation_is_not_released_while_the_registration_appends(
    register, log_in, paused, in_background
):
    before_it_commits = paused(reservation_cleanup, "renew", after=True)
    pending_registration = in_background(register, "ann")
    before_it_commits.wait()
    expire_reservations()
    assert sweep_reservations() == 0
    assert register("ann").status_code == 409
    before_it_commits.resume()
    assert pending_registration.result(PATIENCE_SECONDS).status_code == 201
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann").status_code == 200


def overtaken_by_cleanup(register, paused, in_background):
    """Resume a registration while a sweep pauses between its check and its release, lock lost.

    Return the registration, the sweep and the call at which the sweep pauses.
    """
    before_append = paused(registration, "_append")
    before_release = paused(subjects, "release")
    pending_registration = in_background(register, "ann")
    before_append.wait()
    expire_reservations()
    sweep = in_background(sweep_reservations)
    before_release.wait()
    lose_locks()
    before_append.resume()
    return pending_registration, sweep, before_release


def test_expired_reservation_is_not_released_after_registration_completed(
    register, log_in, paused, in_background
):
    pending_registration, sweep, before_release = overtaken_by_cleanup(
        register, paused, in_background
    )
    assert pending_registration.result(PATIENCE_SECONDS).status_code == 201
    before_release.resume()
    assert isinstance(sweep.exception(PATIENCE_SECONDS), InterfaceError | OperationalError)
    assert (registered(), states()) == (1, ["active"])
    assert log_in("ann").status_code == 200


def test_reservation_is_not_released_after_append_before_activation(
    register, paused, in_background
):
    before_activation = paused(subjects, "activate")
    pending_registration, sweep, before_release = overtaken_by_cleanup(
        register, paused, in_background
    )
    before_activation.wait()
    before_release.resume()
    sweep.exception(PATIENCE_SECONDS)
    assert (registered(), states()) == (1, ["reserved"])
    before_activation.resume()
    assert pending_registration.result(PATIENCE_SECONDS).status_code == 201
    assert states() == ["active"]


def test_user_erased_during_registration_stays_erased(register, paused, in_background):
    before_activation = paused(subjects, "activate")
    pending_registration = in_background(register, "ann")
    before_activation.wait()
    expire_reservations()
    assert sweep_reservations() == 1
    user_id = Subject.objects.values_list("user_id", flat=True).get()
    erasures.begin(user_id)
    erasures.destroy_key(user_id)
    before_activation.resume()
    assert pending_registration.result(PATIENCE_SECONDS).status_code == 201
    assert states() == ["erased"]


def lose_locks():
    """PostgreSQL ends a connection that idles in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_locks"
            " WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid::bigint = 4294967295 & hashtext('reservations')::bigint"
        )
        assert cursor.fetchone() == (1,)
