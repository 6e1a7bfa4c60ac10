"""Relay: order, confirms, leadership and restarts."""

import signal

import pytest

from infra import clients
from infra.config import config
from tests.faults.relay.relay_setup import append, cursors, epoch, heads, leaders, query
from tests.fixtures.waiting import until


def test_relay_sends_every_event_once_and_in_order(relays, subscriber, bus_url):
    relays.start(bus_url)
    positions = append(3000)
    until(lambda: subscriber.has_received(positions))
    subscriber.assert_in_order()
    assert subscriber.duplicates() == 0
    until(lambda: cursors() == heads())


def test_relay_ignores_a_hint_of_an_unknown_partition(relays, subscriber, bus_url, namespace):
    relay = relays.start(bus_url)
    appended = append(10)
    until(lambda: subscriber.has_received(appended))
    clients.redis().publish(f"{namespace}:log", f"nonsense,{config().partitions}")
    later = append(10)
    until(lambda: subscriber.has_received(later))
    assert relay.poll() is None


def test_relay_resumes_in_order_when_the_broker_connection_returns(relays, subscriber, proxy):
    relays.start(proxy.url)
    first = append(500)
    until(lambda: subscriber.has_received(first))
    second = append(20_000)
    until(lambda: subscriber.has_received(second[:1]) or sum(cursors()) > 500)
    proxy.cut()
    third = append(200)
    assert cursors() != heads()
    proxy.mend()
    until(lambda: subscriber.has_received([*second, *third]))
    subscriber.assert_in_order()
    until(lambda: cursors() == heads())


def test_relay_waits_for_a_broker_that_is_not_up_yet(relays, subscriber, proxy):
    proxy.cut()
    relays.start(proxy.url)
    positions = append(100)
    until(lambda: epoch() == 1)
    assert sum(cursors()) == 0
    proxy.mend()
    until(lambda: subscriber.has_received(positions))
    assert subscriber.duplicates() == 0


def test_killed_relay_loses_nothing(relays, subscriber, bus_url):
    killed = relays.start(bus_url)
    positions = append(20_000)
    until(lambda: sum(cursors()) > 0)
    killed.kill()
    killed.wait()
    assert sum(cursors()) < len(positions)
    relays.start(bus_url)
    until(lambda: subscriber.has_received(positions))
    subscriber.assert_in_order()
    until(lambda: cursors() == heads())


def test_relay_leads_again_when_the_database_drops_its_session(relays, subscriber, bus_url):
    relays.start(bus_url)
    first = append(50)
    until(lambda: subscriber.has_received(first))
    [leader] = leaders()
    query(f"SELECT pg_terminate_backend({leader})")
    second = append(50)
    until(lambda: subscriber.has_received(second))
    subscriber.assert_in_order()
    assert epoch() == 2


def test_second_relay_takes_over_when_the_first_ends(relays, subscriber, bus_url):
    first = relays.start(bus_url)
    until(lambda: epoch() == 1)
    second = relays.start(bus_url)
    positions = append(50)
    until(lambda: subscriber.has_received(positions))
    assert (len(leaders()), epoch(), subscriber.duplicates()) == (1, 1, 0)
    first.terminate()
    until(lambda: epoch() == 2)
    more = append(50)
    until(lambda: subscriber.has_received(more))
    second.terminate()
    assert [first.wait(timeout=60), second.wait(timeout=60)] == [0, 0]
    subscriber.assert_in_order()
    assert subscriber.duplicates() == 0


@pytest.mark.slow
def test_paused_relay_loses_the_lead_and_cannot_move_the_cursor(relays, subscriber, bus_url):
    paused = relays.start(bus_url)
    until(lambda: epoch() == 1)
    positions = append(20_000)
    until(lambda: sum(cursors()) > 0)
    paused.send_signal(signal.SIGSTOP)
    fresh = relays.start(bus_url)
    until(lambda: epoch() == 2)
    until(lambda: subscriber.has_received(positions))
    until(lambda: cursors() == heads())
    reached = cursors()
    paused.send_signal(signal.SIGCONT)
    more = append(500)
    until(lambda: subscriber.has_received(more))
    until(lambda: cursors() == heads())
    assert all(at >= before for at, before in zip(cursors(), reached, strict=True))
    assert (epoch(), len(leaders())) == (2, 1)
    fresh.terminate()
    assert fresh.wait(timeout=60) == 0
    until(lambda: epoch() == 3)
    last = append(5)
    until(lambda: subscriber.has_received(last))
    assert paused.poll() is None
    subscriber.assert_in_order()
    assert set(subscriber.received) == {*positions, *more, *last}
    until(lambda: cursors() == heads())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_relay_writes_its_cursor_when_it_is_stopped(relays, subscriber, bus_url, number):
    relay = relays.start(bus_url)
    positions = append(2000)
    until(lambda: subscriber.has_received(positions[:100]))
    relay.send_signal(number)
    assert relay.wait(timeout=60) == 0
    before = cursors()
    relays.start(bus_url)
    until(lambda: subscriber.has_received(positions))
    subscriber.assert_in_order()
    assert subscriber.duplicates() == 0
    assert sum(before) >= 100
