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
    heard: set[int] = set()
    with listening_wakeups(clients.redis()) as wakeups:

        def has_heard():
            announce(3, 61)  # a hint is lost while nobody listens yet
            heard.update(wakeups.take())
            return heard

        until(has_heard)
        until(lambda: has_heard() >= {3, 61})
    assert heard == {3, 61}
