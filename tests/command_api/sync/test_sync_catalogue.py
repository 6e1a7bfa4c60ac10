"""manage.py sync_catalogue: jobs, status, keys and metrics."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from prometheus_client import generate_latest

from command_api.catalogue.models import Movie
from command_api.sync import metrics
from infra import progress_bar
from infra.fake_tmdb import InjectedFault
from infra.fake_tmdb.payloads import LEFT_OUT
from tests.command_api.sync.conftest import FILMS


@pytest.fixture
def command(store, settings):
    """Run sync_catalogue and return its output."""

    def run(*words):
        out = io.StringIO()
        call_command("sync_catalogue", *words, stdout=out)
        return out.getvalue()

    return run


def test_sync_catalogue_runs_all_jobs_then_finds_nothing_new(command):
    output = command()
    assert Movie.objects.count() == FILMS
    assert [line.split()[:2] for line in output.splitlines() if not line.startswith(" ")] == [
        [kind, "done;"] for kind in ("genres", "lists", "changes", "oldest", "trending", "films")
    ]
    assert "events 0" in command("--trending")


def test_sync_catalogue_shows_progress(command, monkeypatch, capsys):
    monkeypatch.setattr(progress_bar, "_QUIET_SECONDS", 0.0)
    command()
    lines = dict.fromkeys(capsys.readouterr().err.splitlines())
    steps = ("lists", "films of the day", "films of the week", "films")
    assert [line for line in lines if line.endswith(" 100%")] == [f"{step}: 100%" for step in steps]
    command("--trending")  # all films are fetched
    assert capsys.readouterr().err == ""


def test_sync_catalogue_trending_runs_that_job_only(command, fake_tmdb):
    assert command("--trending").startswith("trending  done")
    assert Movie.objects.count() == len(
        {film["id"] for w in ("day", "week") for film in fake_tmdb.films.trending(w)[:100]}
    )


def test_sync_catalogue_status_shows_jobs_boards_and_films(command, settings, fake_tmdb):
    assert "trending  never" in command("--status")
    command("--trending")
    fake_tmdb.faults.add(InjectedFault("limited", times=None, retry_after="3600"))
    with pytest.raises(CommandError, match="paused"):
        command("--trending")
    requests = sum(fake_tmdb.asked.values())
    output = command("--status")
    assert "trending  waiting" in output
    assert "last complete run 0:00:" in output
    assert "tmdb-day  observed 0:00:" in output
    assert sum(fake_tmdb.asked.values()) == requests


def test_postponed_films_are_not_counted_as_unreadable(command, fake_tmdb):
    late, torn = (film["id"] for film in fake_tmdb.films.listed("popular")[:2])
    fake_tmdb.faults.add(InjectedFault("fault", path=f"/movie/{late}$", times=None))
    fake_tmdb.films.change(torn, title=LEFT_OUT)
    command()
    assert command("--status").splitlines()[-1] == (
        f"films     {FILMS} known, 1 to be fetched (1 of them later), 0 gone from TMDb,"
        " 1 unreadable"
    )


def test_sync_catalogue_retries_a_rejected_key(command, settings, fake_tmdb):
    settings(tmdb_token="wrong")
    for _ in range(2):
        with pytest.raises(CommandError, match="rejected the key"):
            command()
    assert fake_tmdb.answered == {401: 2}
    assert "genres    refused" in command("--status")


def test_sync_catalogue_without_a_key_is_an_error(command, settings):
    settings(tmdb_token="")
    with pytest.raises(CommandError, match="MARQUEE_TMDB_TOKEN"):
        command()


def test_sync_metrics_show_age_and_queue_length(command):
    command("--trending")
    metrics.refresh()
    text = generate_latest().decode()
    assert 'marquee_sync_age_seconds{kind="trending"}' in text
    assert "marquee_sync_waiting_films 0.0" in text
