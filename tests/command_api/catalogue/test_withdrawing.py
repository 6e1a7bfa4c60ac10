"""Withdrawal of movies: new opinions refused, existing ones kept, restored."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from command_api.catalogue import inline_projection, models, movie_lookup
from command_api.catalogue.decider import stream_of
from command_api.event_store import store
from tests.command_api.conftest import ALIEN, HEAT, log_rows

RATING, FAVOURITE, HIDDEN = (
    (f"/v1/movies/{ALIEN}/{what}", body)
    for what, body in (("rating", {"score": 8}), ("favourite", None), ("hidden", None))
)
OPINIONS = pytest.mark.parametrize(("path", "body"), [RATING, FAVOURITE, HIDDEN])

pytestmark = pytest.mark.django_db(databases=["default", "vault"])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Withdrawn movies are read each time."""
    monkeypatch.setattr(movie_lookup, "FRESH_SECONDS", 0.0)


def run(name, *arguments):
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def withdraw(movie_id=ALIEN):
    return run("withdraw_movie", str(movie_id), "--reason", "a double")


def types():
    return [type_ for type_, _ in log_rows()]


@OPINIONS
def test_withdrawn_movie_refuses_new_opinions_until_restored(api, ann, path, body):
    assert withdraw() == f"movie {ALIEN} is withdrawn\n"
    answer = api("PUT", path, body, by=ann)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert "withdrawn" in answer.json()["detail"]
    assert types() == []
    assert run("restore_movie", str(ALIEN)) == f"movie {ALIEN} is shown\n"
    assert api("PUT", path, body, by=ann).status_code == 200
    assert len(types()) == 1


@OPINIONS
def test_opinion_of_a_withdrawn_movie_is_kept_and_can_be_withdrawn(api, ann, path, body):
    api("PUT", path, body, by=ann)
    withdraw()
    assert api("PUT", path, body, by=ann).status_code == 200  # repeated: appends nothing
    assert len(types()) == 1
    assert api("DELETE", path, by=ann).status_code == 204
    assert len(types()) == 2
    assert api("PUT", path, body, by=ann).status_code == 409


def test_changing_a_score_of_a_withdrawn_movie_is_refused(api, ann):
    api.rate(ALIEN, 8, by=ann)
    withdraw()
    assert api.rate(ALIEN, 9, by=ann).status_code == 409


def test_withdrawn_movie_enters_no_playlist_but_can_be_moved_and_removed(api, ann):
    playlists = [api("POST", "/v1/playlists", {"name": name}, by=ann).json()["id"] for name in "ab"]
    old, new = (f"/v1/playlists/{each}/movies" for each in playlists)
    for movie in (HEAT, ALIEN):
        assert api("PUT", f"{old}/{movie}", by=ann).status_code == 200
    withdraw()
    assert api("PUT", f"{new}/{ALIEN}", by=ann).status_code == 409
    moved = api("PUT", f"{old}/{ALIEN}", {"position": 0}, by=ann)
    assert (moved.status_code, moved.json()["position"]) == (200, 0)
    assert api("DELETE", f"{old}/{ALIEN}", by=ann).status_code == 204
    assert api("PUT", f"{old}/{ALIEN}", by=ann).status_code == 409


def test_bulk_import_refuses_ratings_of_a_withdrawn_movie_with_the_reason(api, ann):
    withdraw()
    ratings = [{"movie_id": ALIEN, "score": 8}, {"movie_id": HEAT, "score": 7}]
    answer = api("POST", "/v1/ratings/import", ratings, by=ann).json()
    assert (answer["taken"], answer["refused"]) == (1, 1)
    [refused, _] = answer["results"]
    assert refused["errors"] == [{"field": "movie_id", "reason": "This movie was withdrawn."}]
    assert types() == ["movie-rated.v1"]


@pytest.mark.usefixtures("api")
def test_withdraw_and_restore_commands_are_idempotent():
    assert run("restore_movie", str(ALIEN)) == f"movie {ALIEN} is shown already\n"
    withdraw()
    assert withdraw() == f"movie {ALIEN} is withdrawn already\n"
    assert len(store().read(stream_of(ALIEN))) == 2


@pytest.mark.usefixtures("api")
def test_withdraw_and_restore_commands_report_errors():
    for name, more in (("withdraw_movie", ("--reason", "a double")), ("restore_movie", ())):
        with pytest.raises(CommandError, match="no such movie"):
            run(name, "999", *more)
    with pytest.raises(CommandError, match="1 to 500 characters"):
        run("withdraw_movie", str(ALIEN), "--reason", " ")


@pytest.mark.usefixtures("api")
def test_withdrawal_is_in_the_tables_and_survives_a_rebuild():
    withdraw()
    statuses = models.Movie.objects.order_by("pk").values_list("pk", "status")
    assert list(statuses) == [(ALIEN, "withdrawn"), (HEAT, "listed")]
    states = inline_projection.movie_states([ALIEN, HEAT])
    assert (states[ALIEN].is_withdrawn, states[HEAT].is_withdrawn) == (True, False)
    inline_projection.rebuild(store())
    assert list(statuses.all()) == [(ALIEN, "withdrawn"), (HEAT, "listed")]
    run("restore_movie", str(ALIEN))
    assert list(statuses.all()) == [(ALIEN, "listed"), (HEAT, "listed")]
