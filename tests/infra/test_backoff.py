"""Exponential back-off: doubling, cap, reset and jitter."""

from infra.backoff import Backoff


def test_pauses_double_up_to_the_cap():
    backoff = Backoff(0.1, 1.0)
    assert [backoff.next_seconds() for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_reset_begins_with_the_first_pause():
    backoff = Backoff(0.1, 1.0)
    backoff.next_seconds()
    backoff.next_seconds()
    backoff.reset()
    assert backoff.next_seconds() == 0.1


def test_jitter_stays_below_the_pause_and_varies():
    backoff = Backoff(1.0, 1.0, jitter=True)
    pauses = {backoff.next_seconds() for _ in range(50)}
    assert len(pauses) > 1
    assert all(0 <= pause <= 1 for pause in pauses)
