"""External boards: order, age and pages of other sources' lists."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from events.catalogue import MovieAdded, MovieRated, TrendObserved
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.trending.board import MovieHeat
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from tests.fixtures import model_access
from tests.fixtures.recording import NOON, Recording

ALIEN, HEAT, TRON, UNKNOWN = 1, 2, 3, 99
GENRES = {ALIEN: ("Horror", "Science Fiction"), HEAT: ("Crime",), TRON: ("Science Fiction",)}

pytestmark = pytest.mark.usefixtures("keys")


class World:
    """A log, two models that apply it, and a builder."""

    def __init__(self, redis):
        self.recording = Recording()
        self.movies, self.trending = Movies(redis, 1), Trending(redis, 1)
        self.builder = TrendingBuilder(self.trending, self.movies)

    def apply_event(self, event, at=NOON):
        recorded = self.recording.record(event, at=at)
        for model in (self.movies, self.trending):
            model_access.apply(model, [recorded])

    def add(self, *movies):
        for movie in movies:
            genres = GENRES.get(movie, ())
            self.apply_event(
                MovieAdded(movie_id=movie, title=f"M{movie}", year=1990, genres=genres)
            )

    def observe(self, *movies, window="day", at=NOON):
        board = f"tmdb-{window}"
        event = TrendObserved(board=board, source="tmdb", window=window, movies=movies)
        self.apply_event(event, at=at)

    def board(self, window="day", genre=None):
        self.builder.build(NOON)
        assert self.builder.check(NOON) == []
        return self.trending.board(window, genre, "tmdb")

    def page(self, window="day", genre=None):
        return json.loads(model_access.board_page(self.trending, window, genre, "tmdb") or "null")


@pytest.fixture
def world(redis):
    world = World(redis)
    world.add(ALIEN, HEAT, TRON)
    return world


def test_external_board_keeps_source_order(world):
    world.observe(HEAT, TRON, ALIEN, UNKNOWN)
    assert list(world.board().entries) == [
        MovieHeat(HEAT, 100.0),
        MovieHeat(TRON, 75.0),
        MovieHeat(ALIEN, 50.0),
    ]
    of_genre = world.board(genre="Science Fiction").entries
    assert list(of_genre) == [MovieHeat(TRON, 75.0), MovieHeat(ALIEN, 50.0)]
    assert list(world.board("week").entries) == []


def test_last_observation_wins_and_states_its_age(world):
    world.observe(HEAT)
    world.board()
    world.observe(TRON, ALIEN, at=NOON + timedelta(hours=2))
    assert [entry.movie for entry in world.board().entries] == [TRON, ALIEN]
    page = world.page()
    assert [item["id"] for item in page["items"]] == [TRON, ALIEN]
    assert page["as_of"] == "2026-03-01T14:00:00Z"
    assert model_access.board_page(world.trending, "day", "Crime", "tmdb") is None


def test_repeated_observation_renews_age(world):
    world.observe(HEAT)
    world.board()
    world.observe(HEAT, at=NOON + timedelta(hours=1))
    assert world.board().as_of == NOON + timedelta(hours=1)
    assert world.page()["as_of"] == "2026-03-01T13:00:00Z"


def test_external_pages_show_current_cards(world):
    world.observe(HEAT)
    world.board()
    world.apply_event(MovieRated(user_id=uuid4(), movie_id=HEAT, score=8))
    world.board()
    assert world.page()["items"][0]["community"]["count"] == 1


def test_movie_added_later_enters_external_board(world):
    world.observe(UNKNOWN, HEAT)
    assert [entry.movie for entry in world.board().entries] == [HEAT]
    world.add(UNKNOWN)
    assert [entry.movie for entry in world.board().entries] == [UNKNOWN, HEAT]


def test_external_board_adds_no_heat(world):
    world.observe(HEAT)
    world.board()
    assert list(world.trending.board("day").entries) == []
    assert world.trending.boards().keys() <= {"day|", "week|"}
