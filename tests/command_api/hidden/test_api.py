"""Does "not for me" come into the log over HTTP, once, and go again?"""

import pytest

from command_api.event_store import store
from events.partition import partition_of
from events.position_token import decode_positions
from tests.command_api.conftest import ALIEN, HEAT, fields, log_rows

PATH = f"/v1/movies/{ALIEN}/hidden"

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


def types():
    return [type_ for type_, _ in log_rows()]


def test_there_and_back(api, ann):
    answer = api("PUT", PATH, by=ann)
    assert (answer.status_code, answer.json()) == (200, {"movie_id": ALIEN, "hidden": True})
    [position] = decode_positions(answer.headers["Log-Position"])
    assert position.partition == partition_of(str(ann.user_id), store().partitions)
    [recorded] = store().page(position.partition, after=position.offset - 1, limit=10)
    assert recorded.stream == f"hidden-{ann.user_id}-{ALIEN}"
    answer = api("DELETE", PATH, by=ann)
    assert (answer.status_code, answer.content) == (204, b"")
    assert decode_positions(answer.headers["Log-Position"]) == (
        position._replace(offset=position.offset + 1),
    )
    assert types() == ["movie-hidden.v1", "movie-unhidden.v1"]


def test_the_same_again_answers_with_the_position_it_has(api, ann):
    first = api("PUT", PATH, by=ann)
    api("PUT", f"/v1/movies/{HEAT}/hidden", by=ann)
    again = api("PUT", PATH, by=ann)
    assert again.content == first.content
    assert again.headers["Log-Position"] == first.headers["Log-Position"]
    assert len(types()) == 2


def test_each_for_themselves(api, person):
    ann, bob = person(), person()
    api("PUT", PATH, by=ann)
    assert api("DELETE", PATH, by=bob).status_code == 404
    assert types() == ["movie-hidden.v1"]


def test_a_command_that_is_sent_twice(api, ann):
    api("PUT", PATH, by=ann)
    first, again = (api("DELETE", PATH, by=ann, Idempotency_Key="k") for _ in range(2))
    assert first.status_code == again.status_code == 204
    assert again.headers["Log-Position"] == first.headers["Log-Position"]
    other = api("PUT", PATH, by=ann, Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])
    assert types() == ["movie-hidden.v1", "movie-unhidden.v1"]


@pytest.mark.parametrize("movie", ["999", "2147483648", "99999999999999999999999"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_unknown_movie(api, ann, method, movie):
    answer = api(method, f"/v1/movies/{movie}/hidden", by=ann)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert types() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_without_a_token_nothing_can_be_done(api, method):
    assert api(method, PATH).status_code == 401
    assert api(method, PATH, Authorization="Bearer x.y.z").status_code == 401
    assert types() == []


def test_other_methods_are_not_there(api, ann):
    answer = api("POST", PATH, {}, by=ann)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PUT, DELETE, OPTIONS")
