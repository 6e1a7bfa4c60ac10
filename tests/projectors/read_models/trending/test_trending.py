"""Trending boards and pages: heat, time, late events, verification, incremental builds."""

import json
from datetime import timedelta
from itertools import cycle
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from events.catalogue import MovieAdded, MovieDescribed, MovieRated, RatingWithdrawn
from events.recorded import Origin, Stream
from infra.security.signing import BadSignature
from projectors.consumer.follower import Follower, read_page
from projectors.parking.retry import ParkedStreamRetry, parked_stream_keys
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.board import MovieHeat
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.page import paginate, render
from projectors.read_models.trending.read_model import Trending
from projectors.storage.read_model import leave_encrypted
from tests.fixtures import model_access
from tests.fixtures.memory_store import MemoryStore
from tests.fixtures.recording import NOON, Recording

ANN = UUID(int=1)
ALIEN, HEAT, TRON, UNKNOWN = 1, 2, 3, 99
GENRES = {ALIEN: ("Horror", "Science Fiction"), HEAT: ("Crime",), TRON: ("Science Fiction",)}
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("keys")


class World:
    """A log, two models that apply it, and a builder."""

    def __init__(self, redis):
        redis.flushdb()
        self.recording = Recording()
        self.movies, self.trending = Movies(redis, 1), Trending(redis, 1)
        self.builder = TrendingBuilder(self.trending, self.movies)

    def apply_event(self, *events, at=NOON, to=None):
        for event in events:
            recorded = self.recording.record(event, at=at)
            for model in to or (self.movies, self.trending):
                model_access.apply(model, [recorded])

    def add(self, *movies):
        for movie in movies:
            genres = GENRES.get(movie, ())
            self.apply_event(
                MovieAdded(movie_id=movie, title=f"M{movie}", year=1990, genres=genres)
            )

    def rate(self, *movies, at=NOON):
        for movie in movies:
            self.apply_event(MovieRated(user_id=uuid4(), movie_id=movie, score=8), at=at)

    def board(self, window="day", genre=None, *, now=NOON):
        self.builder.build(now)
        assert self.builder.check(now) == []
        return list(self.trending.board(window, genre).entries)

    def page(self, window="day", genre=None):
        return json.loads(model_access.board_page(self.trending, window, genre) or "null")


@pytest.fixture
def world(redis):
    return World(redis)


def test_boards_rank_hottest_first_by_genre(world):
    world.add(ALIEN, HEAT, TRON)
    world.rate(HEAT, TRON, TRON)
    assert world.board() == [MovieHeat(TRON, 2.0), MovieHeat(HEAT, 1.0)]
    assert world.board(genre="Science Fiction") == [MovieHeat(TRON, 2.0)]
    assert world.board(genre="Horror") == []
    world.rate(ALIEN, ALIEN, ALIEN)
    assert world.board(genre="Science Fiction") == [MovieHeat(ALIEN, 3.0), MovieHeat(TRON, 2.0)]


def test_first_page_has_cards_with_ratings(world):
    world.add(ALIEN)
    world.rate(ALIEN)
    world.board()
    page = world.page()
    [item] = page["items"]
    assert (item["title"], item["heat"], item["community"]["count"]) == ("M1", 1.0, 1)
    assert (page["next"], page["as_of"]) == (None, "2026-03-01T12:00:00Z")


def test_new_score_adds_no_heat_but_updates_page(world):
    world.add(ALIEN)
    world.apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=2))
    world.board()
    world.apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=9, previous=2))
    assert world.board() == [MovieHeat(ALIEN, 1.0)]
    assert world.page()["items"][0]["community"]["average"] == 9.0


def test_rating_withdrawn_in_its_hour_leaves_no_heat(world):
    world.add(ALIEN)
    world.apply_event(
        MovieRated(user_id=ANN, movie_id=ALIEN, score=2),
        RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=2),
    )
    assert world.board() == []
    assert world.page()["items"] == []
    assert world.trending.most_rated(10) == []


def test_later_withdrawal_never_shows_negative_heat(world):
    world.add(ALIEN, HEAT)
    world.apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=2))
    later = NOON + 5 * HOUR
    world.apply_event(RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=2), at=later)
    world.rate(HEAT, at=later)
    assert world.board(now=later) == [MovieHeat(HEAT, 1.0)]


def test_boards_decay_without_events(world):
    world.add(ALIEN, HEAT)
    world.rate(ALIEN, ALIEN, HEAT)
    assert world.board(now=NOON + 6 * HOUR) == [MovieHeat(ALIEN, 1.0), MovieHeat(HEAT, 0.5)]
    assert world.board(now=NOON + 24 * HOUR) == []
    assert world.board("week", now=NOON + 42 * HOUR) == [
        MovieHeat(ALIEN, 1.0),
        MovieHeat(HEAT, 0.5),
    ]
    assert world.board("week", now=NOON + 400 * HOUR) == []


def test_future_rating_counts_once_its_hour_comes(world):
    world.add(ALIEN)
    world.rate(ALIEN, at=NOON + 2 * HOUR)
    assert world.board() == []
    assert world.board(now=NOON + 2 * HOUR) == [MovieHeat(ALIEN, 1.0)]


def test_unknown_movie_enters_board_once_added(world):
    world.add(ALIEN)
    world.rate(ALIEN, HEAT, HEAT)
    assert world.board() == [MovieHeat(ALIEN, 1.0)]
    world.add(HEAT)
    assert world.board() == [MovieHeat(HEAT, 2.0), MovieHeat(ALIEN, 1.0)]


def test_movie_changes_boards_with_its_genre(world):
    world.add(HEAT)
    world.rate(HEAT)
    assert world.board(genre="Crime") == [MovieHeat(HEAT, 1.0)]
    world.apply_event(MovieDescribed(movie_id=HEAT, title="Heat", year=1995, genres=("Drama",)))
    assert world.board(genre="Crime") == []
    assert world.board(genre="Drama") == [MovieHeat(HEAT, 1.0)]
    assert model_access.board_page(world.trending, "day", "Crime") is None


def test_trending_built_offset_waits_for_movies(world):
    world.add(ALIEN)
    world.board()
    event = MovieRated(user_id=ANN, movie_id=ALIEN, score=9)
    world.apply_event(event, to=[world.trending])
    recorded = world.recording.events[-1]
    world.builder.build(NOON)
    assert world.page()["items"][0]["heat"] == 1.0
    assert world.trending.built(recorded.partition) < recorded.offset
    model_access.apply(world.movies, [recorded])
    world.builder.build(NOON)
    assert world.page()["items"][0]["community"]["count"] == 1
    assert world.trending.built(recorded.partition) == recorded.offset


def test_retried_movie_event_shows_on_trending_page(redis, monkeypatch):
    store, movies, trending = MemoryStore(1), Movies(redis, 1), Trending(redis, 1)
    builder = TrendingBuilder(trending, movies)
    added = MovieAdded(movie_id=ALIEN, title="M1", year=1990, genres=())
    rated = MovieRated(user_id=ANN, movie_id=ALIEN, score=9)
    origin = Origin(correlation_id=ANN)
    for event, owner in ((added, "1"), (rated, str(ANN))):
        stream = Stream(f"s-{owner}", owner)
        store.append(stream, [event], expected=0, origin=origin, occurred_at=NOON)

    with monkeypatch.context() as broken:
        broken.setattr(Movies, "writes", _without_ratings(Movies.writes))
        read_page(store, 0, [Follower(model, store) for model in (movies, trending)])
    builder.build(NOON)
    assert _votes_shown(trending) == 0

    [parked_stream] = parked_stream_keys(movies, 1)
    ParkedStreamRetry(movies, store, leave_encrypted).retry(parked_stream)
    builder.build(NOON)
    assert _votes_shown(trending) == 1
    assert builder.check(NOON) == []


def test_check_waits_for_late_page(world, monkeypatch):
    monkeypatch.setattr("projectors.verification.derived._PATIENCE_SECONDS", 0.1)
    world.add(ALIEN)
    world.board()
    world.movies.redis.hincrby(world.movies.all.changes_key, "late", 1)
    assert world.builder.check(NOON) == ["could not be compared: derived data is still being built"]
    world.builder.build(NOON)
    assert world.builder.check(NOON) == []


def test_check_accepts_pages_rewritten_during_comparison(world, monkeypatch):
    world.add(ALIEN)
    world.rate(ALIEN)
    world.board()
    rank = TrendingBuilder._rank

    def meanwhile(self, heats):
        monkeypatch.setattr(TrendingBuilder, "_rank", rank)
        TrendingBuilder(world.trending, world.movies).build(NOON + timedelta(minutes=1))
        return rank(self, heats)

    monkeypatch.setattr(TrendingBuilder, "_rank", meanwhile)
    assert world.builder.check(NOON) == []
    assert world.page()["as_of"] == "2026-03-01T12:01:00Z"


def test_check_reports_page_with_a_movie_twice_or_cut_off(world):
    world.add(ALIEN)
    world.rate(ALIEN)
    world.board()
    page = world.page()
    twice = msgspec.json.encode(page | {"items": 2 * page["items"]})
    for wrong in (twice, twice[:-1]):
        world.trending.redis.hset(world.trending.pages_key, "day|", wrong)
        assert "the first page of day| differs from its board" in world.builder.check(NOON)


def rated_during_each_comparison(world, monkeypatch, worker) -> None:
    """Movies are rated by turns after each read of the boards; the worker builds when awaited."""
    read, movies = Trending.boards_and_pages, cycle((ALIEN, HEAT))

    def meanwhile(self):
        entries = read(self)
        world.rate(next(movies))
        return entries

    monkeypatch.setattr(Trending, "boards_and_pages", meanwhile)
    monkeypatch.setattr("projectors.verification.derived.sleep", lambda _: worker())


def test_check_of_right_boards_ends_while_ratings_keep_coming(world, monkeypatch):
    world.add(ALIEN, HEAT, TRON)
    world.rate(ALIEN, HEAT, TRON)
    world.board()
    rated_during_each_comparison(world, monkeypatch, lambda: world.builder.build(NOON))
    check = TrendingBuilder(world.trending, world.movies).check
    assert check(NOON) == []


def test_check_names_the_wrong_entry_while_ratings_keep_coming(world, monkeypatch):
    world.add(ALIEN, HEAT, TRON)
    world.rate(ALIEN, HEAT, TRON)
    world.board()

    def build_wrongly():
        world.builder.build(NOON)
        board = world.trending.board("day", "Science Fiction")
        others = tuple(entry for entry in board.entries if entry.movie != TRON)
        wrong = replace(board, entries=(MovieHeat(TRON, 7.0), *others))
        packed = msgspec.msgpack.encode(wrong)
        world.trending.redis.hset(world.trending.boards_key, "day|Science Fiction", packed)

    build_wrongly()
    rated_during_each_comparison(world, monkeypatch, build_wrongly)
    differences = TrendingBuilder(world.trending, world.movies).check(NOON)
    assert "the board day|Science Fiction differs from the rating counts at movie 3" in differences
    assert not any("at movie 2" in line for line in differences)


def test_check_accepts_cards_newer_than_boards(world, monkeypatch):
    monkeypatch.setattr("projectors.verification.derived._PATIENCE_SECONDS", 0.1)
    world.add(ALIEN)
    world.rate(ALIEN)
    world.board()
    world.apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=9), to=[world.movies])
    [difference] = world.builder.check(NOON)
    assert difference.startswith("could not be compared")
    model_access.apply(world.trending, [world.recording.events[-1]])
    world.builder.build(NOON)
    assert world.builder.check(NOON) == []


def _without_ratings(writes):
    def failing(self, shard, batch):
        if any(isinstance(recorded.event, MovieRated) for recorded in batch):
            raise LookupError("a rating")
        return writes(self, shard, batch)

    return failing


def _votes_shown(trending):
    [item] = json.loads(model_access.board_page(trending, "day"))["items"]
    return item["community"]["count"]


def test_failed_build_loses_nothing(world, monkeypatch):
    world.add(ALIEN)
    world.board()
    world.rate(ALIEN)
    with monkeypatch.context() as broken:
        broken.setattr(world.builder, "_write", _break)
        with pytest.raises(OSError, match="away"):
            world.builder.build(NOON)
    assert world.board() == [MovieHeat(ALIEN, 1.0)]


def _break(*_args, **_more):
    raise OSError("away")


def test_lost_boards_are_rebuilt(world):
    world.add(ALIEN)
    world.rate(ALIEN)
    before = world.board()
    redis = world.trending.redis
    redis.delete(*redis.scan_iter(match="*:derived:*"))
    assert world.board() == before


def test_board_pages_have_no_gap_or_repeat(world):
    movies = range(1, 8)
    world.add(*movies)
    for movie in movies:
        world.rate(*[movie] * (movie // 2 + 1))
    world.board()
    paged, cursor = [], None
    for now in range(10):
        world.board(now=NOON + now * HOUR)  # all decay meanwhile
        board = world.trending.board("day")
        chosen = paginate(board, "day", None, limit=3, cursor=cursor)
        paged += [entry.movie for entry in chosen.entries]
        cursor = chosen.next
        if cursor is None:
            break
    assert paged == [6, 7, 4, 5, 2, 3, 1]


def test_cursor_of_another_board_is_refused(world):
    world.add(ALIEN, TRON)
    world.rate(ALIEN, TRON)
    world.board()
    cursor = paginate(world.trending.board("day"), "day", None, limit=1).next
    board = world.trending.board("day", "Science Fiction")
    with pytest.raises(BadSignature):
        paginate(board, "day", "Science Fiction", limit=1, cursor=cursor)
    with pytest.raises(BadSignature):
        paginate(board, "day", None, limit=1, cursor="nonsense")


def test_query_renders_board_as_the_builder_does(world):
    world.add(*range(1, 31))
    world.rate(*range(1, 31))
    world.board()
    board = world.trending.board("week")
    chosen = paginate(board, "week", None, limit=20)
    cards = world.movies.cards([entry.movie for entry in chosen.entries])
    assert render(board, chosen, cards) == model_access.board_page(world.trending, "week")
    assert chosen.next is not None


def test_untouched_boards_are_not_rewritten(world):
    world.add(ALIEN, HEAT)
    world.rate(ALIEN, HEAT)
    world.board()
    world.rate(HEAT)
    world.builder.build(NOON + timedelta(minutes=1))
    assert world.page(genre="Horror")["as_of"] == "2026-03-01T12:00:00Z"
    assert world.page(genre="Crime")["as_of"] == "2026-03-01T12:01:00Z"


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 5)),
        st.tuples(st.just("rate"), st.integers(1, 5)),
        st.tuples(st.just("pass"), st.integers(0, 30)),
        st.just(("build", 0)),
    ),
    max_size=25,
)


@settings(
    max_examples=40,
    deadline=None,  # a busy machine is no failure
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_incremental_boards_equal_full_build(redis, steps):
    world, now = World(redis), NOON
    for what, number in steps:
        match what:
            case "add":
                world.add(number)
            case "rate":
                world.rate(number, at=now)
            case "pass":
                now += number * HOUR
            case _:
                world.builder.build(now)
    step_by_step = world.board("week", now=now), world.board("day", now=now)
    world.builder = TrendingBuilder(world.trending, world.movies)
    assert (world.board("week", now=now), world.board("day", now=now)) == step_by_step
