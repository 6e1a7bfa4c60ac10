"""Opinion flags over HTTP: favourite and hidden are set once and cleared once."""

from typing import NamedTuple

import pytest

from command_api.event_store import store
from events.position_token import decode_positions
from events.recorded import partition_of
from tests.command_api.conftest import ALIEN, HEAT, fields, log_rows

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


class Flag(NamedTuple):
    """A flag's name (in URL, stream and body) and its events."""

    name: str
    was_set: str
    was_cleared: str

    def path(self, movie_id=ALIEN):
        return f"/v1/movies/{movie_id}/{self.name}"


@pytest.fixture(
    params=[
        Flag("favourite", "movie-favourited.v1", "movie-unfavourited.v1"),
        Flag("hidden", "movie-hidden.v1", "movie-unhidden.v1"),
    ],
    ids=lambda flag: flag.name,
)
def flag(request):
    return request.param


def types():
    return [type_ for type_, _ in log_rows()]


def test_flag_is_set_and_cleared_in_the_users_stream(api, ann, flag):
    answer = api("PUT", flag.path(), by=ann)
    assert (answer.status_code, answer.json()) == (200, {"movie_id": ALIEN, flag.name: True})
    [position] = decode_positions(answer.headers["Log-Position"])
    assert position.partition == partition_of(str(ann.user_id), store().partitions)
    [recorded] = store().page(position.partition, after=position.offset - 1, limit=10)
    assert recorded.stream == f"{flag.name}-{ann.user_id}-{ALIEN}"
    answer = api("DELETE", flag.path(), by=ann)
    assert (answer.status_code, answer.content) == (204, b"")
    assert decode_positions(answer.headers["Log-Position"]) == (
        position._replace(offset=position.offset + 1),
    )
    assert types() == [flag.was_set, flag.was_cleared]


def test_flag_set_again_answers_with_its_first_position(api, ann, flag):
    first = api("PUT", flag.path(), by=ann)
    api("PUT", flag.path(HEAT), by=ann)
    repeated = api("PUT", flag.path(), by=ann)
    assert repeated.content == first.content
    assert repeated.headers["Log-Position"] == first.headers["Log-Position"]
    assert len(types()) == 2


def test_flag_of_one_user_cannot_be_cleared_by_another(api, person, flag):
    ann, bob = person(), person()
    api("PUT", flag.path(), by=ann)
    assert api("DELETE", flag.path(), by=bob).status_code == 404
    assert types() == [flag.was_set]


def test_flag_command_repeated_with_its_idempotency_key_is_done_once(api, ann, flag):
    api("PUT", flag.path(), by=ann)
    first, repeated = (api("DELETE", flag.path(), by=ann, Idempotency_Key="k") for _ in range(2))
    assert first.status_code == repeated.status_code == 204
    assert repeated.headers["Log-Position"] == first.headers["Log-Position"]
    other = api("PUT", flag.path(), by=ann, Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])
    assert types() == [flag.was_set, flag.was_cleared]


@pytest.mark.parametrize("movie", ["999", "2147483648", "99999999999999999999999"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_flag_of_an_unknown_movie_is_not_found(api, ann, flag, method, movie):
    answer = api(method, flag.path(movie), by=ann)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
    assert types() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_flag_command_without_a_valid_token_is_refused(api, flag, method):
    assert api(method, flag.path()).status_code == 401
    assert api(method, flag.path(), Authorization="Bearer x.y.z").status_code == 401
    assert types() == []


def test_flag_refuses_other_methods(api, ann, flag):
    answer = api("POST", flag.path(), {}, by=ann)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "PUT, DELETE, OPTIONS")
