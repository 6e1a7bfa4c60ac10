"""Random requests: every response is one that the contract declares."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.catalogue import MovieFavourited, PlaylistCreated
from events.catalogue.accounts import EncryptedField
from events.management.commands.reference import DIRECTORY
from events.playlist_ids import playlist_id
from infra.config import config
from tests.fixtures.position_header import encode_positions
from tests.fixtures.random_requests import ValidValues, operations, requests, violation
from tests.query_api.conftest import ALIEN, ANN, HEAT

OPERATIONS = list(operations(json.loads((DIRECTORY / "query.openapi.json").read_text())))
PLAYLIST = playlist_id(str(ANN), config().partitions, bytes(10))


@pytest.fixture
def valid_values(client, world, flush, log_in):
    """Valid values for Ann's requests."""
    reached = [
        world.apply_event(
            PlaylistCreated(playlist_id=PLAYLIST, user_id=ANN, name=EncryptedField("Mine")), ANN
        ),
        world.apply_event(MovieFavourited(user_id=ANN, movie_id=HEAT), ANN),
        world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN), ANN),
    ]
    world.build()
    flush()
    headers, staff = log_in(ANN), log_in(ANN, is_staff=True)
    page = client.get("/v1/me/favourites?limit=1", headers=headers)
    board = client.get("/v1/discover?limit=1")
    return ValidValues(
        headers={
            "Authorization": [headers["Authorization"], staff["Authorization"], "Bearer x.y.z"],
            "Log-Position": [encode_positions(reached)],
            "Prefer": ["wait=0", "wait=1", "wait=9"],
            "As-Of": ["then"],
            "If-None-Match": [page["ETag"], "*", f'W/{page["ETag"]}, "x"'],
        },
        queries={
            "cursor": [page.json()["next"], board.json()["next"]],
            "genre": ["Drama", "Nothing"],
            "limit": ["1", "100"],
            "q": ["alien", "é", "'\""],
            "sort": ["new", "old", "score", "popular"],
            "source": ["community", "tmdb"],
            "window": ["day", "week"],
        },
        paths={"movie_id": [str(ALIEN)], "playlist_id": [PLAYLIST]},
    )


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_response_to_random_request_is_declared(client, valid_values, operation, data):
    sent = data.draw(requests(operation, valid_values))
    method = data.draw(st.sampled_from(["GET", "HEAD"]))
    answer = client.generic(
        method,
        sent.path,
        sent.body,
        content_type=sent.content_type,
        headers=sent.headers,
        QUERY_STRING=sent.query,
    )
    if method == "GET":
        assert violation(operation, answer) is None
    else:
        assert answer.status_code in operation.statuses | {304, 404}


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("query", ["&" * 1001, "a=1&" * 1001, "limit=5&" * 500])
def test_too_many_parameters_are_refused_as_declared(client, world, log_in, query):
    headers, paths = log_in(ANN), {"movie_id": ALIEN, "playlist_id": PLAYLIST}
    for operation in OPERATIONS:
        answer = client.get(f"{operation.path.format(**paths)}?{query}", headers=headers)
        assert answer.status_code == 422
        assert violation(operation, answer) is None
