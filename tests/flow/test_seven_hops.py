"""Seven hops: a rating over HTTP shows in every read model.

Most tests share a platform; each rates movies of its own.
"""

import pytest

from tests.fixtures.platform import LEVEL_SECONDS, MOVIES, import_, manage_all
from tests.fixtures.waiting import until


@pytest.fixture
def level_platform(shared_platform):
    """The shared platform, with all events of earlier tests applied."""
    manage_all(shared_platform.platform, ("lag", "--wait", LEVEL_SECONDS))
    return shared_platform.platform


def trending(person, at=""):
    """Entries of the trending board by movie."""
    return {item["id"]: item for item in person.read("/v1/trending", at).json()["items"]}


def wait_until_recommendable(person):
    """Wait until all movies may be recommended: other users' ratings count about a second later."""
    path = "/v1/me/recommendations?limit=100"
    until(lambda: len(person.read(path).json()["items"]) == MOVIES)


def test_rating_shows_in_every_read_model(level_platform, register_client):
    ann = register_client(level_platform)
    wait_until_recommendable(ann)
    before = trending(ann)

    answer = ann.put("/v1/movies/1/rating", {"score": 9})
    assert (answer.status_code, answer.json()) == (200, {"movie_id": 1, "score": 9})
    at = answer.headers["Log-Position"]

    card = ann.read("/v1/movies/1", at)
    assert card.json()["community"] == {
        "average": 9.0,
        "count": 1,
        "histogram": [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
    }
    [rating] = ann.read("/v1/me/ratings", at).json()["items"]
    assert (rating["id"], rating["score"]) == (1, 9)
    after = trending(ann, at)
    assert after.keys() - before.keys() == {1}
    assert before.keys() <= after.keys()
    heats = (1.0, 2 ** (-1 / 6))  # an hour may have ended meanwhile
    assert any(after[1]["heat"] == pytest.approx(heat, abs=0.001) for heat in heats)
    assert [item["id"] for item in ann.read("/v1/search?q=amelie", at).json()["items"]] == [1]
    recommended = ann.read("/v1/me/recommendations", at).json()["items"]
    assert recommended[0]["genres"] == ["Western"]  # same as the rated movie
    assert (recommended[0]["reasons"][0]["because"], recommended[0]["reasons"][0]["movie"]) == (
        "rated",
        1,
    )
    assert 1 not in [item["id"] for item in recommended]


def test_response_states_its_age(level_platform, register_client):
    ann = register_client(level_platform)
    for path in ("/v1/movies/1", "/v1/trending", "/v1/search?q=movie", "/v1/me/ratings"):
        answer = ann.read(path)
        assert answer.status_code == 200, answer.text
        assert int(answer.headers["Log-Age"]) >= 0
        second = ann.query.get(
            path, headers={**ann.headers, "If-None-Match": answer.headers["ETag"]}
        )
        assert second.status_code == 304, path


def test_writes_appear_without_the_bus(start, catalogue, register_client):
    platform = start(MARQUEE_BUS_URL="amqp://guest:guest@127.0.0.1:1/%2F")
    import_(platform, catalogue)
    ann = register_client(platform, "ann")
    at = ann.put("/v1/movies/7/rating", {"score": 4}).headers["Log-Position"]
    assert ann.read("/v1/movies/7", at).json()["community"]["count"] == 1


def test_withdrawn_rating_leaves_no_trace(level_platform, register_client):
    ann = register_client(level_platform)
    before = trending(ann)
    ann.put("/v1/movies/11/rating", {"score": 9})
    answer = ann.command.delete("/v1/movies/11/rating", headers=dict(ann.headers))
    at = answer.headers["Log-Position"]
    assert answer.status_code == 204
    assert ann.read("/v1/movies/11", at).json()["community"]["count"] == 0
    assert ann.read("/v1/me/ratings", at).json()["items"] == []
    assert trending(ann, at).keys() == before.keys()
    assert 11 not in before


def test_logout_everywhere_holds_for_queries(shared_platform, register_client):
    ann = register_client(shared_platform.platform)
    assert ann.read("/v1/me/ratings").status_code == 200
    answer = ann.command.post("/v1/tokens/revoke-all", headers=dict(ann.headers))
    assert answer.status_code == 204
    at = answer.headers["Log-Position"]
    assert ann.read("/v1/me/ratings", at).status_code == 401
