"""Read models agree with the reference implementation on random and real histories.

Random histories are decided by the platform's own rules; the real one is MovieLens 100K, if it is
there. It may not be redistributed, so it is read from RATINGS or a folder ``shared`` beside the
checkout.
"""

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from redis import Redis

from events.store import EventStore
from events.store.postgres import PostgresStore
from infra.config import config
from projectors.consumer.follower import Follower
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.builder import MoviesBuilder
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import Decrypt, leave_encrypted
from tests.fixtures.recording import NOON
from tests.reference import library, movies, reading, trending
from tests.reference.history import MOVIES, PEOPLE, SUPPRESSED, DatedLog, all_events, histories
from tests.reference.opinions import opinions

ROOT = Path(__file__).parents[2]
ML_100K = Path(os.environ.get("RATINGS") or ROOT.parent / "shared" / "data" / "ml-100k")
DAYS_AGO = NOON - timedelta(days=9)

_generations = count(1)


@pytest.fixture
def redis(redis_url):
    with Redis.from_url(redis_url) as connected:
        yield connected


def generation_of(kind, redis: Redis, log: EventStore, *, decrypt: Decrypt = leave_encrypted):
    """A new generation of a read model that has applied the all_events log."""
    model = kind(redis, next(_generations))
    follower = Follower(model, log, decrypt)
    follower.sync(log.heads())
    for partition, head in enumerate(log.heads()):
        while (at := follower.checkpoints[partition]) < head:
            follower.process(log.page(partition, after=at, limit=1000))
            assert follower.checkpoints[partition] > at
    return model


examples = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=SUPPRESSED,
)
given_a_log = partial(given, log=histories(since=DAYS_AGO, minutes=9 * 24 * 60))


@given_a_log()
@examples
def test_movie_cards_agree_with_the_reference(redis, log: DatedLog):
    history = all_events(log)
    model = generation_of(Movies, redis, log)
    facts, community = movies.facts(history), movies.community(history)
    for movie in (*MOVIES, 99):
        expected = (facts[movie], community.get(movie, movies.NOBODY)) if movie in facts else None
        assert reading.card(model, movie) == expected
    assert model.count() == len(facts)
    MoviesBuilder(model).build(NOON)
    genres = [genre for details in facts.values() for genre in details.genres]
    assert {it.name: it.count for it in model.genres()} == {it: genres.count(it) for it in genres}


@given_a_log()
@examples
def test_libraries_agree_with_the_reference(redis, log: DatedLog):
    model = generation_of(Library, redis, log)
    expected = library.libraries(all_events(log))
    for person in PEOPLE:
        actual = reading.library(model, person)
        assert actual == expected.get(person, library.Library())
        for playlist_id, playlist in actual.playlists.items():
            assert playlist.movies == expected[person].playlists[playlist_id].movies


@given_a_log()
@examples
def test_trending_heat_agrees_with_the_reference(redis, log: DatedLog):
    history = all_events(log)
    model, catalogue = generation_of(Trending, redis, log), generation_of(Movies, redis, log)
    degrees = trending.degrees(history)
    hours = [DAYS_AGO + timedelta(hours=nth) for nth in range(9 * 24 + 1)]
    assert reading.degrees(model, hours, MOVIES) == degrees
    opinions_of = [movie for _, movie in opinions(history)]
    assert dict(model.most_rated(100)) == {it: opinions_of.count(it) for it in opinions_of}
    builder, facts = TrendingBuilder(model, catalogue), movies.facts(history)
    builder.build(NOON)
    for window in ("day", "week"):
        board = trending.board(degrees, window, now=NOON)
        hot = {movie: pytest.approx(heat, abs=1e-6) for movie, heat in board.items()}
        entries = model.board(window).entries
        assert dict(entries) == {movie: heat for movie, heat in hot.items() if movie in facts}
        assert [it.heat for it in entries] == sorted((it.heat for it in entries), reverse=True)


@pytest.mark.slow
@pytest.mark.usefixtures("keys")
@pytest.mark.skipif(not (ML_100K / "ratings.csv").is_file(), reason=f"no MovieLens in {ML_100K}")
def test_read_models_agree_with_the_reference_on_movielens_100k(log_database, redis):
    call_command("import_movielens", str(ML_100K), verbosity=0)
    log = PostgresStore(config().partitions)
    history = all_events(log)
    facts, community = movies.facts(history), movies.community(history)
    cards = generation_of(Movies, redis, log)
    assert (len(facts), sum(it.count for it in community.values())) == (1664, 99_693)
    for movie, details in facts.items():
        assert reading.card(cards, movie) == (details, community.get(movie, movies.NOBODY))

    own = generation_of(Library, redis, log)
    libraries = library.libraries(history)
    assert len(libraries) == 943
    for person, expected in libraries.items():
        assert reading.library(own, person) == expected

    hot = generation_of(Trending, redis, log)
    degrees = trending.degrees(history)
    first, last = min(hour for _, hour in degrees), max(hour for _, hour in degrees)
    assert (first.year, last.year) == (1997, 1998)
    hours = [first + nth * trending.HOUR for nth in range((last - first) // trending.HOUR + 1)]
    assert reading.degrees(hot, hours, sorted(facts)) == degrees
    now = datetime(1998, 1, 10, 12, 30, tzinfo=UTC)
    TrendingBuilder(hot, cards).build(now)
    for window in ("day", "week"):
        board = trending.board(degrees, window, now=now)
        entries = dict(hot.board(window).entries)
        hottest = sorted(board.values(), reverse=True)[: len(entries)]
        assert list(entries.values()) == pytest.approx(hottest, abs=1e-6)
        assert entries == {movie: pytest.approx(board[movie], abs=1e-6) for movie in entries}
        assert len(entries) == min(len(board), 500)
