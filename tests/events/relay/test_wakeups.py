"""Wake-ups: announced partitions reach the relay."""

from threading import Event

from events.notifications import announce
from events.relay.wakeups import Wakeups, listening_wakeups
from infra import clients
from tests.fixtures.waiting import until


def test_announced_partitions_are_taken_once():
    wakeups = Wakeups()
    wakeups.add({1, 2})
    wakeups.add({2, 3})
    assert wakeups.take() == {1, 2, 3}
    assert wakeups.take() == set()


def test_added_partitions_call_the_callback():
    wakeups, woken = Wakeups(), Event()
    wakeups.on_wake(woken.set)
    wakeups.add({1})
    assert woken.is_set()
    woken.clear()
    wakeups.on_wake(None)
    wakeups.add({1})
    assert not woken.is_set()


def test_wakeups_collect_announced_partitions(redis_url):
    clients.redis.cache_clear()
    received: set[int] = set()
    with listening_wakeups(clients.redis()) as wakeups:

        def has_received():
            announce(3, 61)  # a hint is lost while no subscriber listens yet
            received.update(wakeups.take())
            return received

        until(has_received)
        until(lambda: has_received() >= {3, 61})
    assert received == {3, 61}
