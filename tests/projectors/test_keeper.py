"""Does who lets go of things live on, whatever goes wrong?"""

from threading import Event
from uuid import UUID

import pytest
from django.db import DatabaseError
from redis import Redis

from events.store.memory import MemoryStore
from events.vault import erasures
from projectors import keeper
from projectors.erasure import Letting
from projectors.fates import AgainLater
from projectors.keeper import Keeper, StillNeeded

ANN, BOB = UUID(int=1), UUID(int=2)


class Idle(Keeper):
    """Has nothing to let go."""

    def __init__(self):
        """Without any read models."""

    def let_go(self):
        pass

    def sweep(self):
        pass


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(keeper, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(keeper, "close_old_connections", lambda: None)


def test_goes_on_after_any_fault():
    faults = [ValueError(), KeyError(), DatabaseError(), AgainLater(), StillNeeded()]
    done = Event()

    def also():
        if faults:
            raise faults.pop()
        done.set()

    keeper._keep(Idle(), also, done)
    assert done.is_set()


def test_one_that_has_to_wait_does_not_hold_up_the_others(monkeypatch):
    monkeypatch.setattr(erasures, "not_gone", lambda: [ANN, BOB])
    let = []

    def let_go(_, user_id):
        if user_id == ANN:
            raise AgainLater("not now")
        let.append(user_id)

    monkeypatch.setattr(Letting, "let_go", let_go)
    with Redis(port=1) as away:
        Letting(away, MemoryStore(1)).carry_on()
    assert let == [BOB]
