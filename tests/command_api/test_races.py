"""Concurrent identical commands: done once; with If-Match, one wins."""

import threading
from collections import Counter

import pytest

from tests.command_api.conftest import ALIEN, HEAT, Api, in_thread, log_rows

CROWD = 32


def at_once(send, count=CROWD):
    """Return the answers to a number of concurrent requests."""
    start, answers = threading.Barrier(count), []

    def work(nth):
        start.wait(timeout=60)
        answers.append(send(Api(), nth))

    threads = [threading.Thread(target=in_thread(work), args=(nth,)) for nth in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(answers) == count
    return answers


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


@pytest.fixture
def playlist(api, ann):
    """Ann's playlist, with its version."""
    answer = api("POST", "/v1/playlists", {"name": "Space"}, by=ann)
    return f"/v1/playlists/{answer.json()['id']}", answer.headers["ETag"]


def test_concurrent_commands_with_one_key_are_one_event_and_one_answer(ann):
    answers = at_once(lambda api, _: api.rate(ALIEN, 8, by=ann, Idempotency_Key="k"))
    assert statuses(answers) == {200: CROWD}
    assert len({(a.content, a.headers["Log-Position"]) for a in answers}) == 1
    replayed = [answer for answer in answers if "Idempotency-Replayed" in answer.headers]
    assert len(replayed) == CROWD - 1
    assert [kind for kind, _ in log_rows()] == ["movie-rated.v1"]


def test_concurrent_identical_commands_without_a_key_are_one_event(ann):
    answers = at_once(lambda api, _: api.rate(ALIEN, 8, by=ann))
    assert statuses(answers) == {200: CROWD}
    assert len({answer.headers["Log-Position"] for answer in answers}) == 1
    assert [kind for kind, _ in log_rows()] == ["movie-rated.v1"]


def test_concurrent_playlist_creations_with_one_key_are_one_playlist(ann):
    body = {"name": "Space"}
    answers = at_once(
        lambda api, _: api("POST", "/v1/playlists", body, by=ann, Idempotency_Key="k"), 8
    )
    assert statuses(answers) == {201: 8}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(log_rows()) == 1


def test_concurrent_changes_with_if_match_have_one_winner(ann, playlist):
    path, version = playlist
    answers = at_once(
        lambda api, nth: api("PATCH", path, {"name": f"Name {nth}"}, by=ann, If_Match=version)
    )
    assert statuses(answers) == {200: 1, 412: CROWD - 1}
    assert len(log_rows()) == 2


def test_concurrent_changes_without_if_match_are_decided_again(ann, playlist):
    """Two movies put into a playlist concurrently are both in it."""
    path, _ = playlist
    answers = at_once(
        lambda api, nth: api("PUT", f"{path}/movies/{(ALIEN, HEAT)[nth]}", {}, by=ann), 2
    )
    assert statuses(answers) == {200: 2}
    assert len(log_rows()) == 3
    assert {answer.json()["version"] for answer in answers} == {2, 3}


def test_concurrent_different_ratings_are_appended_or_refused_as_conflict(ann):
    """Each event names the score before it, so the chain must be unbroken."""
    answers = at_once(lambda api, nth: api.rate(ALIEN, 1 + nth % 10, by=ann), 12)
    counted = statuses(answers)
    assert set(counted) <= {200, 409}
    assert 1 <= len(log_rows()) <= counted[200]
