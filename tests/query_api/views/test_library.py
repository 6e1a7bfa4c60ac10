"""My ratings: order, pages and cursors."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue import RatingWithdrawn
from projectors.read_models.library.projection import UserRating
from query_api.views.library import after_cursor, cursor_position
from tests.query_api.conftest import ALIEN, AMELIE, ANN, BOB, HEAT, UNKNOWN, walk


@pytest.fixture
def rated(world):
    for days, (movie, score) in enumerate([(HEAT, 9), (ALIEN, 7), (AMELIE, 9)]):
        world.rate(ANN, movie, score, ago=timedelta(days=days))


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("rated")
def test_ratings_are_sorted_by_time_or_score(client, log_in):
    headers = log_in(ANN)
    assert ids(client.get("/v1/me/ratings", headers=headers)) == [HEAT, ALIEN, AMELIE]
    assert ids(client.get("/v1/me/ratings?sort=score", headers=headers)) == [HEAT, AMELIE, ALIEN]


@pytest.mark.usefixtures("rated")
def test_rated_item_is_card_with_score(client, log_in):
    first = client.get("/v1/me/ratings", headers=log_in(ANN)).json()["items"][0]
    card = client.get(f"/v1/movies/{HEAT}").json()
    assert first.pop("score") == 9
    assert datetime.fromisoformat(first["rated_at"]) <= datetime.now(UTC)
    assert first.pop("rated_at").endswith("Z")
    assert first == card


@pytest.mark.usefixtures("rated")
def test_ratings_are_per_user(client, log_in):
    assert ids(client.get("/v1/me/ratings", headers=log_in(BOB))) == []


def test_withdrawn_rating_is_removed(client, world, rated, log_in):
    world.apply_event(RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=7), ANN)
    assert ids(client.get("/v1/me/ratings", headers=log_in(ANN))) == [HEAT, AMELIE]


def test_rated_movie_without_card_is_left_out(client, world, rated, log_in):
    world.rate(ANN, UNKNOWN, 9)
    assert ids(client.get("/v1/me/ratings", headers=log_in(ANN))) == [HEAT, ALIEN, AMELIE]


@pytest.mark.usefixtures("rated")
@pytest.mark.parametrize("sort", ["new", "score"])
def test_pages_of_ratings_follow_each_other(client, log_in, sort):
    headers = log_in(ANN)
    all_ids = ids(client.get(f"/v1/me/ratings?sort={sort}", headers=headers))
    assert walk(client, "/v1/me/ratings", {"sort": sort, "limit": 2}, headers=headers) == all_ids


@pytest.mark.usefixtures("rated")
def test_cursor_of_ratings_is_bound_to_owner_and_order(client, log_in):
    cursor = client.get("/v1/me/ratings?limit=1", headers=log_in(ANN)).json()["next"]
    for user, query in ((BOB, "sort=new"), (ANN, "sort=score")):
        answer = client.get(f"/v1/me/ratings?{query}&cursor={cursor}", headers=log_in(user))
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["cursor"]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("query", ["sort=old", "limit=0", "x=1", "sort=new&sort=score"])
def test_ratings_refuse_invalid_parameters(client, log_in, query):
    assert client.get(f"/v1/me/ratings?{query}", headers=log_in(ANN)).status_code == 422


ratings = st.builds(
    UserRating,
    st.integers(1, 50),
    st.integers(1, 10),
    st.integers(0, 200).map(
        lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    ),
)


@given(st.lists(ratings, unique_by=lambda rating: rating.movie), st.sampled_from(["new", "score"]))
def test_every_cursor_position_continues_with_the_rest(some, sort):
    key = {"new": lambda r: (r.at, r.movie), "score": lambda r: (r.score, r.at, r.movie)}[sort]
    ordered = sorted(some, key=key, reverse=True)
    for index, rating in enumerate(ordered):
        assert after_cursor(ordered, sort, cursor_position(rating, sort)) == ordered[index + 1 :]
