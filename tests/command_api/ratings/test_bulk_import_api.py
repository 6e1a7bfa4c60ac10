"""Bulk import over HTTP: bad ratings do not affect good ones."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from command_api.event_store import store
from command_api.ratings.bulk_import_api import MAX_REASONS
from events.position_token import decode_positions
from events.recorded import partition_of
from infra.config import config
from tests.command_api.conftest import ALIEN, HEAT, fields, log_rows

PATH = "/v1/ratings/import"
YEAR_2000 = "2000-02-29T12:00:00Z"

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


def send_import(api, by, *ratings, **headers):
    return api("POST", PATH, list(ratings), by=by, **headers)


def rating_input(movie_id, score, rated_at=None):
    rating = {"movie_id": movie_id, "score": score}
    return rating if rated_at is None else rating | {"rated_at": rated_at}


def log(person):
    """Return a user's recorded events; movies' events may share the partition."""
    partition = partition_of(str(person.user_id), store().partitions)
    page = store().page(partition, after=0, limit=5000)
    return [one for one in page if getattr(one.event, "user_id", None) == person.user_id]


def test_import_takes_the_good_ratings_of_a_mixed_list(api, ann):
    answer = send_import(
        api,
        ann,
        rating_input(ALIEN, 8, YEAR_2000),
        rating_input(ALIEN, 11),
        rating_input(999, 7, "1989-12-31T23:59:59Z"),
        "nonsense",
        rating_input(HEAT, 3, "2000-02-29T13:00:00.5+02:00"),
        rating_input(HEAT, 2, "1999-01-01T00:00:00Z"),
    )
    assert answer.status_code == 200
    result = answer.json()
    assert [result[name] for name in ("taken", "unchanged", "refused")] == [2, 1, 3]
    assert [it["index"] for it in result["results"]] == list(range(6))
    assert [it["result"] for it in result["results"]] == [
        "taken",
        "refused",
        "refused",
        "refused",
        "taken",
        "unchanged",
    ]
    assert [[e["field"] for e in it.get("errors", ())] for it in result["results"]] == [
        [],
        ["score"],
        ["movie_id", "rated_at"],
        [""],
        [],
        [],
    ]
    assert [(it.event.movie_id, it.event.score, it.occurred_at) for it in log(ann)] == [
        (HEAT, 3, datetime(2000, 2, 29, 11, 0, 0, 500_000, tzinfo=UTC)),
        (ALIEN, 8, datetime(2000, 2, 29, 12, tzinfo=UTC)),
    ]
    assert decode_positions(answer.headers["Log-Position"]) == (log(ann)[-1].position,)
    assert len({it.origin.correlation_id for it in log(ann)}) == 1


@pytest.mark.parametrize(
    ("rating", "field"),
    [
        (rating_input(ALIEN, 0), "score"),
        (rating_input(ALIEN, "7"), "score"),
        (rating_input(ALIEN, 7.0), "score"),
        (rating_input(ALIEN, True), "score"),
        (rating_input(ALIEN, None), "score"),
        ({"movie_id": ALIEN}, "score"),
        ({"score": 7}, "movie_id"),
        (rating_input("1", 7), "movie_id"),
        (rating_input(0, 7), "movie_id"),
        (rating_input(-1, 7), "movie_id"),
        (rating_input(10**30, 7), "movie_id"),
        (rating_input(ALIEN, 7) | {"stars": 3}, "stars"),
        (rating_input(ALIEN, 7, "yesterday"), "rated_at"),
        (rating_input(ALIEN, 7, "2000-02-30T12:00:00Z"), "rated_at"),
        (rating_input(ALIEN, 7, "2000-02-28T12:00:00"), "rated_at"),
        (rating_input(ALIEN, 7, "2000-02-28"), "rated_at"),
        (rating_input(ALIEN, 7, "0001-01-01T00:00:00+14:00"), "rated_at"),
        (rating_input(ALIEN, 7, "9999-12-31T23:59:59-14:00"), "rated_at"),
        (rating_input(ALIEN, 7, 951_825_600), "rated_at"),
        (rating_input(ALIEN, 7, [YEAR_2000]), "rated_at"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_import_gives_the_reason_for_each_refused_rating(api, ann, rating, field):
    answer = send_import(api, ann, rating, rating_input(HEAT, 5))
    refused, accepted = answer.json()["results"]
    assert (refused["result"], accepted["result"]) == ("refused", "taken")
    assert [error["field"] for error in refused["errors"]] == [field]
    assert all(error["reason"] for error in refused["errors"])
    assert len(log_rows()) == 1


@pytest.mark.parametrize(
    ("rated_at", "utc"),
    [
        ("2020-06-15T12:00:00-16:00", datetime(2020, 6, 16, 4, tzinfo=UTC)),
        ("2020-06-15T12:00:00-23:59", datetime(2020, 6, 16, 11, 59, tzinfo=UTC)),
        ("2020-06-15T12:00:00+23:59", datetime(2020, 6, 14, 12, 1, tzinfo=UTC)),
        ("2020-06-15T12:00:00+15:59", datetime(2020, 6, 14, 20, 1, tzinfo=UTC)),
    ],
)
def test_import_takes_every_offset_and_loses_no_other_rating(api, ann, rated_at, utc):
    ratings = [rating_input(ALIEN, 1, YEAR_2000) for _ in range(998)]
    ratings += [rating_input(ALIEN, 7, rated_at), rating_input(HEAT, 5)]
    answer = send_import(api, ann, *ratings)
    assert answer.status_code == 200
    assert [answer.json()[name] for name in ("taken", "unchanged", "refused")] == [2, 998, 0]
    assert {it.event.movie_id: it.occurred_at for it in log(ann)}[ALIEN] == utc


@pytest.mark.parametrize(
    "rated_at",
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-00:01", "2020-06-15T12:00:00+24:00"],
)
def test_import_refuses_a_time_that_is_none_in_utc_alone(api, ann, rated_at):
    answer = send_import(api, ann, rating_input(ALIEN, 7, rated_at), rating_input(HEAT, 5))
    assert answer.status_code == 200
    assert [it["result"] for it in answer.json()["results"]] == ["refused", "taken"]


@pytest.mark.parametrize("seconds", [2, 30, 55])
def test_import_takes_a_clock_that_is_a_little_ahead_for_now(api, ann, seconds):
    soon = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    assert send_import(api, ann, rating_input(ALIEN, 7, soon)).json()["taken"] == 1
    [recorded] = log(ann)
    assert recorded.occurred_at <= datetime.now(UTC)


def test_import_refuses_ratings_of_the_future(api, ann):
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    [result] = send_import(api, ann, rating_input(ALIEN, 7, soon)).json()["results"]
    reason = "rated_at must not be in the future."
    assert result["errors"] == [{"field": "rated_at", "reason": reason}]


def test_imported_rating_with_a_null_time_is_given_now(api, ann):
    assert send_import(api, ann, rating_input(ALIEN, 7) | {"rated_at": None}).json()["taken"] == 1
    [recorded] = log(ann)
    assert recorded.occurred_at == recorded.recorded_at


def test_import_sent_again_changes_nothing(api, ann):
    ratings = [
        rating_input(ALIEN, 8, YEAR_2000),
        rating_input(ALIEN, 6, "1999-01-01T00:00:00Z"),
        rating_input(HEAT, 2),
    ]
    first = send_import(api, ann, *ratings)
    repeated = send_import(api, ann, *ratings)
    assert (first.json()["taken"], repeated.json()["taken"]) == (2, 0)
    assert repeated.headers["Log-Position"] == first.headers["Log-Position"]
    assert len(log_rows()) == 2


def test_import_repeated_with_its_key_gets_the_first_answer(api, ann):
    first, repeated = (
        send_import(api, ann, rating_input(ALIEN, 8), Idempotency_Key="k") for _ in "ab"
    )
    assert (repeated.status_code, repeated.content) == (200, first.content)
    other = send_import(api, ann, rating_input(ALIEN, 9), Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])
    assert len(log_rows()) == 1


def kept_answers():
    with connection.cursor() as cursor:
        cursor.execute("SELECT length(body) FROM answered_commands")
        return [length for (length,) in cursor.fetchall()]


@pytest.mark.parametrize(
    "ratings",
    [
        ["nonsense"] * 1000,
        [{"movie_id": 999, "score": 7}] * 1000,
        [{"movie_id": ALIEN, "score": 11}],
        [{"movie_id": ALIEN, "score": 7, "rated_at": "2999-01-01T00:00:00Z"}],
        [],
    ],
    ids=lambda ratings: str(ratings)[:40],
)
def test_list_of_refused_ratings_is_not_kept_under_its_key(api, ann, ratings):
    refused = send_import(api, ann, *ratings, Idempotency_Key="k")
    assert (refused.status_code, refused.json()["refused"]) == (200, len(ratings))
    assert kept_answers() == []
    again = send_import(api, ann, *ratings, Idempotency_Key="k")
    assert again.content == refused.content
    assert "Idempotency-Replayed" not in again.headers
    taken = send_import(api, ann, rating_input(ALIEN, 8), Idempotency_Key="k")
    assert (taken.status_code, taken.json()["taken"]) == (200, 1)
    assert len(kept_answers()) == 1
    other = send_import(api, ann, *ratings, Idempotency_Key="k")
    assert (other.status_code, fields(other)) == (422, ["Idempotency-Key"])


@pytest.mark.parametrize("more", [["nonsense"], []])
def test_list_that_changes_nothing_more_is_kept_under_its_key(api, ann, more):
    """Executed again after a withdrawal, it would bring the rating back."""
    api.rate(ALIEN, 8, by=ann)
    first = send_import(api, ann, rating_input(ALIEN, 8), *more, Idempotency_Key="k")
    assert first.json()["unchanged"] == 1
    api("DELETE", f"/v1/movies/{ALIEN}/rating", by=ann)
    repeated = send_import(api, ann, rating_input(ALIEN, 8), *more, Idempotency_Key="k")
    assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (first.content, "true")


def test_refused_rating_has_a_bounded_number_of_short_reasons(api, ann):
    strange = {f"member{nth}": 1 for nth in range(90)} | {"x" * 10_000: 1}
    [result] = send_import(api, ann, strange).json()["results"]
    assert len(result["errors"]) == MAX_REASONS
    assert all(len(word) <= 300 for error in result["errors"] for word in error.values())


def test_imported_and_direct_ratings_share_a_stream(api, ann):
    send_import(api, ann, rating_input(ALIEN, 4, YEAR_2000))
    api.rate(ALIEN, 8, by=ann)
    assert (
        send_import(api, ann, rating_input(ALIEN, 5, "2001-01-01T00:00:00Z")).json()["unchanged"]
        == 1
    )
    assert send_import(api, ann, rating_input(ALIEN, 5)).json()["taken"] == 1
    assert [it.event.previous for it in log(ann)] == [None, 4, 8]


def test_import_takes_at_most_a_thousand_ratings(api, ann):
    ratings = [rating_input(ALIEN + nth % 2, 1 + nth % 10, YEAR_2000) for nth in range(1000)]
    answer = send_import(api, ann, *ratings)
    assert (answer.status_code, answer.json()["taken"]) == (200, 2)
    answer = send_import(api, ann, *ratings, ratings[0])
    assert (answer.status_code, fields(answer)) == (422, [""])
    assert len(log_rows()) == 2


def test_import_takes_an_empty_list(api, ann):
    answer = send_import(api, ann)
    assert answer.status_code == 200
    assert answer.json() == {"taken": 0, "unchanged": 0, "refused": 0, "results": []}
    assert decode_positions(answer.headers["Log-Position"])[0].offset == 0


@pytest.mark.parametrize("body", [{}, {"ratings": []}, "x", 7, b"null"])
def test_import_refuses_a_body_that_is_not_a_list(api, ann, body):
    answer = api("POST", PATH, body, by=ann)
    assert (answer.status_code, fields(answer)) == (422, [""])


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"[{]", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"[]", "text/csv", 415),
        (b"[]", "", 415),
    ],
    ids=lambda value: str(value)[:12],
)
def test_import_refuses_unreadable_bodies(api, ann, raw, kind, status):
    assert api("POST", PATH, raw, by=ann, Content_Type=kind).status_code == status


def test_import_refuses_a_body_that_is_too_large(api, ann):
    raw = b'["' + b"x" * config().body_limit_bytes + b'"]'
    assert api("POST", PATH, raw, by=ann).status_code == 413


def test_import_needs_a_token(api):
    assert api("POST", PATH, [rating_input(ALIEN, 7)]).status_code == 401
    assert log_rows() == []


def test_import_refuses_other_methods(api, ann):
    answer = api("PUT", PATH, [], by=ann)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
