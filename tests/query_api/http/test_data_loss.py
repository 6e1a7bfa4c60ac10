"""Data-loss guard: lost read models are reported, not answered as empty."""

import pytest

from projectors.generations.live import GENERATIONS_KEY, NotReady
from projectors.read_models.library.read_model import Library
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.playlists.read_model import Playlists
from projectors.read_models.search.read_model import Search
from projectors.read_models.trending.read_model import Trending
from query_api.http.data_loss import DataLossGuard
from query_api.http.request import live
from tests.fixtures import model_access
from tests.query_api.conftest import ALIEN, ANN, GENERATION, HEAT

READS = [
    (Movies, lambda movies: movies.genres()),  # string
    (Trending, lambda trending: trending.board("week")),  # hash field
    (Movies, lambda movies: movies.features_of([ALIEN, HEAT])),  # hash fields
    (Movies, lambda movies: movies.cards([ALIEN, HEAT])),  # several hashes
    (Movies, lambda movies: list(movies.all_features())),  # scan
    (Trending, lambda trending: trending.boards()),  # hash
    (Trending, lambda trending: trending.most_rated(5)),  # top of a sorted set
    (Library, lambda library: model_access.ratings(library, ANN)),
    (Playlists, lambda playlists: playlists.newest((), limit=5, after=None)),
    (Search, lambda search: search.is_filled()),
]


def guarded(kind, redis):
    return kind(DataLossGuard(redis, kind.name), GENERATION)


@pytest.fixture
def activity(world):
    world.rate(ANN, ALIEN, 9)
    world.build()


@pytest.mark.usefixtures("activity")
@pytest.mark.parametrize(("kind", "read"), READS)
def test_guarded_reads_return_the_same(redis, kind, read):
    assert read(guarded(kind, redis)) == read(kind(redis, GENERATION))


@pytest.mark.usefixtures("activity")
@pytest.mark.parametrize(("kind", "read"), READS)
def test_guarded_read_of_lost_data_is_not_ready(redis, kind, read):
    model = guarded(kind, redis)
    redis.flushall()
    with pytest.raises(NotReady, match=kind.name):
        read(model)


def test_guard_checks_its_own_pointer_only(world, redis):
    model = guarded(Movies, redis)
    redis.hdel(GENERATIONS_KEY, Trending.name)
    assert len(model.genres()) == 6


@pytest.mark.usefixtures("world")
def test_models_of_requests_are_guarded():
    model = live().open(Movies)
    assert isinstance(model.redis, DataLossGuard)
    assert live().open(Movies) is model


def test_empty_guarded_pipeline_makes_no_round_trip(redis):
    redis.flushall()
    with DataLossGuard(redis, Movies.name).pipeline(transaction=False) as pipe:
        assert pipe.execute() == []


def test_guarded_transaction_is_refused(redis):
    with pytest.raises(ValueError, match="transaction=False"):
        DataLossGuard(redis, Movies.name).pipeline()
