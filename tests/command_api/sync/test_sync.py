"""Sync jobs against the fake TMDb: contents, repetition, faults and resumption."""

import gzip
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from command_api.catalogue import inline_projection
from command_api.catalogue.bulk_commands import handle_all
from command_api.catalogue.decider import AddMovie, MovieFacts
from command_api.catalogue.id_allocation import TMDB_BASE
from command_api.catalogue.models import ExternalId, Movie, SyncRun, TmdbFilm
from command_api.catalogue.tmdb.schemas import FetchedFilm
from command_api.sync import fetch_queue, job_runner, upsert
from command_api.sync.fetcher import FetchResult
from command_api.sync.jobs import JOBS
from command_api.sync.mapping import facts_of
from events.catalogue import MovieAdded, MovieDescribed, MovieDetailed, MovieLinked, TrendObserved
from events.recorded import Origin
from infra.fake_tmdb import InjectedFault
from infra.fake_tmdb.films import CATALOGUE
from infra.fake_tmdb.payloads import LEFT_OUT
from tests.command_api.sync.conftest import FILMS

ALL = tuple(JOBS)
DONE, WAITING, REFUSED = SyncRun.State.DONE, SyncRun.State.WAITING, SyncRun.State.REFUSED


def kinds_of(log):
    return [type(event) for _, event in log]


def films_in(log):
    return {event.external_ids["tmdb"] for _, event in log if isinstance(event, MovieAdded)}


def test_first_fill_adds_all_listed_films(sync, fake_tmdb, log):
    assert sync("lists", "films").state == DONE
    assert films_in(log()) == {str(film) for film in fake_tmdb.films.ids()}
    assert kinds_of(log()).count(MovieDetailed) == kinds_of(log()).count(MovieAdded) == FILMS
    film = fake_tmdb.films.listed("popular")[0]
    movie = Movie.objects.get(pk=TMDB_BASE + film["id"])
    assert (movie.title, movie.runtime_minutes) == (film["title"], film["runtime"])
    assert movie.poster_url == f"https://image.tmdb.org/t/p/w500{film['poster_path']}"
    assert {link.source for link in movie.external_ids.all()} == {"tmdb", "imdb"}
    assert movie.credits.get().job == "Director"
    assert movie.directors.get().person == movie.credits.get().person


def test_catalogue_import_after_the_sync_adds_no_film_twice(sync, fake_tmdb, tmp_path):
    sync("lists", "films")
    before = set(Movie.objects.values_list("pk", flat=True))
    with gzip.open(CATALOGUE) as shipped:
        lines = shipped.readlines()[-FILMS:]
    path, output = tmp_path / "movies.jsonl", StringIO()
    path.write_bytes(b"".join(lines))
    call_command("import_catalogue", str(path), stdout=output)
    assert f"added 0, changed {FILMS}, unchanged 0, broken 0; matched {FILMS}," in output.getvalue()
    fetch_queue.enqueue(fake_tmdb.films.ids())
    sync("films")
    assert set(Movie.objects.values_list("pk", flat=True)) == before


def test_repeated_sync_appends_nothing(sync, fake_tmdb, log):
    sync(*ALL)
    before, requests = log(), fake_tmdb.answered[304]
    assert len(before) > 2 * FILMS
    fetch_queue.enqueue(fake_tmdb.films.ids())
    assert sync(*ALL).counts["unchanged"] == FILMS
    assert log() == before
    assert fake_tmdb.answered[304] == requests + FILMS
    TmdbFilm.objects.update(mark=None)  # nothing is appended either when all films are sent again
    fetch_queue.enqueue(fake_tmdb.films.ids())
    assert sync("films").counts["fetched"] == FILMS
    assert log() == before


def test_first_fill_stops_at_its_limit(sync, settings):
    settings(tmdb_first_fill=30)
    sync("lists", "films")
    assert Movie.objects.count() == 30


def test_changed_films_of_the_catalogue_are_updated(sync, fake_tmdb, log):
    sync("lists", "films", "changes")
    film = fake_tmdb.films.ids()[0]
    fake_tmdb.films.change(film, title="Another Title")
    fake_tmdb.films.add(777, title="Of no interest", year=2020)
    before = log()
    assert sync("changes", "films").state == DONE
    [(stream, event)] = [each for each in log() if each not in before]
    assert stream == f"movie-{TMDB_BASE + film}"
    assert isinstance(event, MovieDescribed)
    assert event.title == "Another Title"
    assert not Movie.objects.filter(title="Of no interest").exists()


def test_trending_job_fetches_missing_films(sync, fake_tmdb, log):
    assert sync("trending").state == DONE
    observed = [event for _, event in log() if isinstance(event, TrendObserved)]
    assert sorted(event.board for event in observed) == ["tmdb-day", "tmdb-week"]
    for event in observed:
        expected = [TMDB_BASE + film["id"] for film in fake_tmdb.films.trending(event.window)]
        assert list(event.movies) == expected[:100]
    before = len(log())
    sync("trending")
    assert len(log()) == before
    fake_tmdb.films.shuffle("again")
    sync("trending")
    assert kinds_of(log()).count(TrendObserved) == 4


def test_film_of_an_imported_movie_is_matched(sync, store, fake_tmdb, log):
    film = fake_tmdb.films.listed("popular")[0]
    year = int(film["release_date"][:4])
    cast = tuple(person["name"] for person in film["credits"]["cast"])
    command = AddMovie(5, MovieFacts(title=film["title"], year=year, genres=("Silent",), cast=cast))
    handle_all([command], store, origin=Origin(correlation_id=uuid4()))
    fetch_queue.enqueue([film["id"]])
    assert sync("films").counts["matched"] == 1
    assert [stream for stream, _ in log()] == ["movie-5"] * len(log())
    assert {MovieLinked, MovieDescribed, MovieDetailed} <= set(kinds_of(log()))
    facts = inline_projection.movie_states([5])[5].facts
    assert facts is not None
    assert "Silent" in facts.genres


def test_movie_stays_when_tmdb_deletes_its_film(sync, fake_tmdb, log):
    sync("lists", "films")
    film = fake_tmdb.films.ids()[0]
    fake_tmdb.films.delete(film)
    before = len(log())
    assert sync("changes", "films").counts["gone"] == 1
    assert (len(log()), Movie.objects.count()) == (before, FILMS)
    assert TmdbFilm.objects.get(pk=film).gone_at is not None


def test_merged_films_stay_one_movie(sync, fake_tmdb, log):
    film, other = fake_tmdb.films.ids()[:2]
    fake_tmdb.films.delete(other)
    sync("lists", "films")
    fake_tmdb.films.add(other, title="Renumbered", year=2001)
    fake_tmdb.films.merge(film, other)
    fetch_queue.enqueue([film, other])
    sync("films")
    links = ExternalId.objects.filter(movie=TMDB_BASE + film, source="tmdb")
    assert sorted(links.values_list("value", flat=True)) == sorted([str(film), str(other)])
    assert Movie.objects.count() == FILMS - 1


def test_unreadable_film_is_reported_and_the_others_synced(sync, fake_tmdb):
    film = fake_tmdb.films.ids()[0]
    fake_tmdb.films.change(film, title=LEFT_OUT)
    row = sync("lists", "films")
    assert (row.state, row.counts["unreadable"], Movie.objects.count()) == (DONE, 1, FILMS - 1)
    assert any(f"film {film}" in word for word in row.words)
    fake_tmdb.films.change(film, title="Mended")
    fetch_queue.enqueue([film])
    sync("films")
    assert Movie.objects.get(pk=TMDB_BASE + film).title == "Mended"
    assert TmdbFilm.objects.get(pk=film).fault == ""


@pytest.mark.parametrize("kind", ["offline", "html", "cut", "torn"])
def test_sync_resumes_after_tmdb_became_unavailable(sync, fake_tmdb, connected, kind):
    sync("lists")
    for film in fake_tmdb.films.ids()[50:]:
        fake_tmdb.faults.add(InjectedFault(kind, path=f"/movie/{film}$", times=None))
    row = sync("films")
    assert row.state == WAITING
    assert "TMDb" in row.note
    movie_count = Movie.objects.count()
    assert movie_count <= 50
    assert fetch_queue.count_waiting() == FILMS - movie_count
    fake_tmdb.faults.clear()
    connected().reset()
    fetch_queue.retry_now()
    assert sync("films").state == DONE
    assert Movie.objects.count() == FILMS


@pytest.mark.parametrize("kind", ["fault", "html", "cut"])
def test_unavailable_film_is_postponed_and_the_others_synced(sync, fake_tmdb, kind):
    film = fake_tmdb.films.listed("popular")[2]["id"]
    fake_tmdb.faults.add(InjectedFault(kind, path=f"/movie/{film}$", times=None))
    sync("lists")
    row = sync("films")
    assert (row.state, row.counts["postponed"], Movie.objects.count()) == (DONE, 1, FILMS - 1)
    assert any(f"film {film}" in word for word in row.words)
    assert fetch_queue.count_waiting() == 1
    requests = fake_tmdb.asked[f"/3/movie/{film}"]
    assert sync("films").state == DONE  # and it is not requested again at once
    assert fake_tmdb.asked[f"/3/movie/{film}"] == requests
    fake_tmdb.faults.clear()
    fetch_queue.retry_now()
    sync("films")
    assert (fetch_queue.count_waiting(), Movie.objects.count()) == (0, FILMS)


def test_trending_board_leaves_out_an_unavailable_film(sync, fake_tmdb, log):
    film = fake_tmdb.films.trending("day")[0]["id"]
    fake_tmdb.faults.add(InjectedFault("fault", path=f"/movie/{film}$", times=None))
    assert sync("trending").state == DONE
    observed = [event for _, event in log() if isinstance(event, TrendObserved)]
    assert len(observed) == 2
    assert TMDB_BASE + film not in observed[0].movies


def test_trending_board_is_recorded_without_films_when_tmdb_is_limited(sync, fake_tmdb, log):
    sync("trending")
    fake_tmdb.films.shuffle("again")
    fake_tmdb.faults.add(
        InjectedFault("limited", path=r"/movie/\d+$", times=None, retry_after="3600")
    )
    row = sync("trending")
    assert row.state == DONE
    assert kinds_of(log()).count(TrendObserved) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"original_language": "f\x00r" * 9},
        {"poster_path": "/\x00" + "p" * 3000},
        {"external_ids": {"imdb_id": "tt\x00" + "1" * 600}},
        {"title": "\x00A\x00 Title\x00"},
        {"translations": {"translations": [{"iso_639_1": "\x00x", "data": {"title": "\x00Y"}}]}},
    ],
)
def test_values_that_the_database_cannot_store_are_left_out(sync, fake_tmdb, changes):
    film = fake_tmdb.films.ids()[0]
    fake_tmdb.films.change(film, **changes)
    row = sync("lists", "films")
    assert (row.state, row.counts.get("unreadable", 0)) == (DONE, 0)
    assert Movie.objects.count() == FILMS


def test_film_that_the_database_refuses_is_reported_and_the_others_synced(
    sync, fake_tmdb, monkeypatch
):
    film = fake_tmdb.films.ids()[0]

    def facts_with_long_url(source, *args, **options):
        facts = facts_of(source, *args, **options)
        return replace(facts, poster_url="p" * 3000) if source.id == film else facts

    monkeypatch.setattr(upsert, "facts_of", facts_with_long_url)
    row = sync("lists", "films")
    assert (row.state, row.counts["unreadable"], Movie.objects.count()) == (DONE, 1, FILMS - 1)
    assert "too long" in TmdbFilm.objects.get(pk=film).fault


def test_shared_imdb_id_does_not_merge_movies(sync, fake_tmdb):
    one = fake_tmdb.films.ids()[0]
    imdb = fake_tmdb.films.get(one)["imdb_id"]
    sync("lists", "films")
    fake_tmdb.films.add(777, title="Typed in wrongly", year=2001)
    fake_tmdb.films.change(777, external_ids={"imdb_id": imdb})
    fetch_queue.enqueue([777])
    row = sync("films")
    assert row.counts["ambiguous"] == 1
    assert Movie.objects.filter(pk=TMDB_BASE + 777, title="Typed in wrongly").exists()


def test_gone_films_are_retried_after_a_month(sync, fake_tmdb):
    film = fake_tmdb.films.ids()[0]
    now = timezone.now()
    for tmdb_id, days in ((film, 31), (777, 29)):
        fetched_at = now - timedelta(days=days)
        TmdbFilm.objects.create(tmdb_id=tmdb_id, fetched_at=fetched_at, gone_at=fetched_at)
    sync("oldest", "films")
    assert Movie.objects.get().pk == TMDB_BASE + film
    assert TmdbFilm.objects.get(pk=film).gone_at is None


def test_film_enqueued_during_its_fetch_stays_in_the_queue(sync, fake_tmdb):
    film = fake_tmdb.films.ids()[0]
    fetch_queue.enqueue([film])
    asked_at = timezone.now()
    fetch_queue.enqueue([film, film])
    fetch_queue.record([FetchResult(film, asked_at, FetchedFilm(None, "mark"))])
    assert fetch_queue.count_waiting() == 1
    fetch_queue.record([FetchResult(film, timezone.now(), FetchedFilm(None, "m" * 300))] * 2)
    assert (fetch_queue.count_waiting(), TmdbFilm.objects.get(pk=film).mark) == (0, "mark")


def test_changes_job_resumes_at_the_next_page(sync, fake_tmdb):
    sync("lists", "films")
    for film in fake_tmdb.films.ids():
        fake_tmdb.films.change(film, overview="Longer.")
    row = sync("changes", budget_seconds=0)
    assert (row.state, row.cursor, fetch_queue.count_waiting()) == (WAITING, 1, 100)
    row = sync("changes")
    assert (row.state, row.cursor, fetch_queue.count_waiting()) == (DONE, 0, FILMS)
    assert fake_tmdb.asked["/3/movie/changes"] == 2


def test_finished_lists_are_not_requested_again(sync, settings, fake_tmdb):
    settings(tmdb_first_fill=10_000)
    sync("lists")
    requests = sum(fake_tmdb.asked.values())
    assert sync("lists").state == DONE
    assert sum(fake_tmdb.asked.values()) == requests


def test_job_resumes_after_its_time_budget(sync):
    sync("lists")
    row = sync("films", budget_seconds=0)
    assert row.state == WAITING
    assert 0 < Movie.objects.count() <= upsert.BATCH
    assert sync("films").state == DONE
    assert Movie.objects.count() == FILMS


def test_rejected_key_stops_all_requests(sync, settings, fake_tmdb):
    settings(tmdb_token="wrong")
    rows = [sync(kind) for kind in ("genres", "trending", "lists", "changes")]
    assert {row.state for row in rows} == {REFUSED}
    assert "MARQUEE_TMDB_TOKEN" in rows[0].note
    assert sum(fake_tmdb.asked.values()) == 1


def test_reason_of_a_stopped_sync_is_logged_once(sync, settings, monkeypatch):
    messages = []
    monkeypatch.setattr(
        job_runner._log, "warning", lambda *_, **fields: messages.append(fields["kind"])
    )
    settings(tmdb_token="wrong")
    for _ in range(3):
        sync("genres", "trending")
    assert messages == ["genres", "trending"]


def test_job_does_nothing_while_another_process_runs_it(sync, fake_tmdb):
    other = connection.copy()
    key = [job_runner._LOCKS, list(JOBS).index("trending")]
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
    try:
        assert job_runner.running_jobs() == {"trending"}
        assert sync("trending").state == SyncRun.State.NEVER
        assert fake_tmdb.asked == {}
    finally:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
        other.close()
    assert sync("trending").state == DONE


def test_film_ids_out_of_range_are_reported_and_left_out(sync, settings, fake_tmdb):
    for number in (3_000_000_000, 1_000_000_000, 0):
        fake_tmdb.films.add(number, title="Too far", year=2020)
    settings(tmdb_first_fill=FILMS + 3)
    rows = [sync(kind) for kind in ("lists", "films", "trending", "changes")]
    assert {row.state for row in rows} == {DONE}
    assert Movie.objects.count() == TmdbFilm.objects.count() == FILMS
    for row in (rows[0], rows[2], rows[3]):
        assert any("lists film 3000000000," in word for word in row.words)


def test_movies_imported_with_tmdb_ids_are_fetched_by_the_nightly_job(sync, store, fake_tmdb):
    film = fake_tmdb.films.ids()[0]
    command = AddMovie(5, MovieFacts(title="By another name", year=1990), (("tmdb", str(film)),))
    handle_all([command], store, origin=Origin(correlation_id=uuid4()))
    sync("oldest", "films")
    assert Movie.objects.get(pk=5).title == fake_tmdb.films.get(film)["title"]
    sync("oldest")
    assert fetch_queue.count_waiting() == 1
