"""Recommendation lists: what `verify` finds inconsistent, also while events come in."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from uuid import UUID

import pytest
from msgspec.structs import replace

from events.catalogue import (
    MovieFavourited,
    MovieRated,
    MovieWithdrawn,
    PreferencesChanged,
)
from projectors.read_models.recommendations import verification
from projectors.read_models.recommendations.builder import RecommendationsBuilder
from projectors.read_models.recommendations.candidate_snapshot import (
    CandidateSnapshot,
    CandidateSources,
)
from projectors.read_models.recommendations.page import RecommendedMovie, paginate, render
from projectors.read_models.recommendations.read_model import COLD_START, encode_list
from projectors.storage.pagination import DEFAULT_LIMIT
from tests.fixtures import model_access
from tests.fixtures.waiting import until
from tests.projectors.read_models.recommendations.test_recommendations import (
    ALIEN,
    ANN,
    BOB,
    HEAT,
    TRON,
    World,
)

CARL, DORA = UUID(int=3), UUID(int=4)

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
def world(redis) -> World:
    """Three users: one has rated, one has preferences, one has a favourite."""
    world = World(redis)
    world.rate(ANN, ALIEN)
    world.apply_event(PreferencesChanged(user_id=BOB, genres=("Crime",)))
    world.apply_event(MovieFavourited(user_id=CARL, movie_id=TRON))
    for _ in range(2):  # the second build uses what the first one made
        world.build(after=timedelta(minutes=6))
    return world


@pytest.fixture
def impatient(monkeypatch):
    """Never sleeps."""
    monkeypatch.setattr(verification, "_PATIENCE_SECONDS", 0.0)


def differences(world: World) -> list[str]:
    """Differences found by ``verify`` beside a worker's builder."""
    return second_builder(world).check(world.now)


def second_builder(world: World) -> RecommendationsBuilder:
    return RecommendationsBuilder(
        world.recommendations, world.trending, world.movies, world.similarity
    )


def write(world: World, user: UUID | str, items: Sequence[RecommendedMovie]) -> None:
    """Store a list with a page, as only a broken builder would."""
    shard = (
        world.recommendations.shard(0)
        if user == COLD_START
        else world.recommendations.shard_of(user)
    )
    cards = world.movies.cards([item.movie for item in items])
    page = render(paginate(items, limit=DEFAULT_LIMIT), cards)
    listed = replace(model_access.listed(world.recommendations, user), items=tuple(items))
    world.redis.set(shard.derived("list", str(user)), encode_list(listed))
    world.redis.set(shard.derived("page", str(user)), page)


def test_check_accepts_right_lists(world, impatient):
    assert differences(world) == []


@pytest.mark.parametrize("user", [ANN, BOB, COLD_START])
def test_check_reports_missing_list(world, impatient, user):
    shard = (
        world.recommendations.shard(0)
        if user == COLD_START
        else world.recommendations.shard_of(user)
    )
    world.redis.delete(shard.derived("list", str(user)))
    assert differences(world) == [f"{user}: has no list"]


def test_check_reports_list_of_user_without_taste(world, impatient):
    listed = model_access.listed(world.recommendations, ANN)
    shard = world.recommendations.shard_of(DORA)
    world.redis.set(shard.derived("list", str(DORA)), encode_list(listed))
    assert differences(world) == [f"{DORA}: has a list without any events"]


@contextmanager
def repeatedly(turn: Callable[[], None]) -> Iterator[None]:
    """Run a function repeatedly in another thread until the end of the block."""
    is_over, failures = Event(), []

    def run() -> None:
        try:
            while not is_over.wait(0.01):
                turn()
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    thread = Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert failures == []


@contextmanager
def running_builder(world: World) -> Iterator[None]:
    """As in a worker."""
    began, noon = monotonic(), world.now

    def build() -> None:
        world.now = noon + timedelta(seconds=monotonic() - began)
        for builder in (*world.others, world.builder):
            builder.build(world.now)

    with repeatedly(build):
        yield


def test_check_accepts_page_without_withdrawn_movie(world):
    sources = CandidateSources(world.trending, world.movies, world.similarity)
    snapshot = CandidateSnapshot(sources, world.now)
    shown = model_access.items(world.recommendations, ANN)[0].movie
    world.apply_event(MovieWithdrawn(movie_id=shown, reason="a double"))
    world.builder._build_lists(world.recommendations.shard_of(ANN), [str(ANN)], snapshot, world.now)
    assert shown in [item.movie for item in model_access.items(world.recommendations, ANN)]
    with running_builder(world):
        assert differences(world) == []


@pytest.mark.parametrize("user", [ANN, BOB, CARL, COLD_START])
def test_check_reports_list_out_of_order(world, impatient, user):
    items = model_access.items(world.recommendations, user)
    write(world, user, items[::-1])
    assert differences(world) == [f"{user}: has a list that is not sorted by score"]
    write(world, user, items)
    assert differences(world) == []


def test_check_reports_list_with_rated_movie(world, impatient):
    items = model_access.items(world.recommendations, ANN)
    write(world, ANN, [replace(items[0], movie=ALIEN), *items[1:]])
    assert differences(world) == [
        f"{ANN}: is recommended movies that they rated, favourited or hid: [{ALIEN}]"
    ]


def test_check_reports_page_of_another_list(world, impatient):
    shard = world.recommendations.shard_of(ANN)
    other = world.redis.get(world.recommendations.shard_of(BOB).derived("page", str(BOB)))
    world.redis.set(shard.derived("page", str(ANN)), other)
    assert differences(world) == [f"{ANN}: has a first page that differs from the list"]


def test_list_of_an_earlier_version_is_read(world, impatient):
    """The old format had three more digests."""
    listed = model_access.listed(world.recommendations, ANN)
    key = world.recommendations.shard_of(ANN).derived("list", str(ANN))
    world.redis.set(key, encode_list((listed.made_at, listed.items, b"12345678", b"", b"")))
    assert model_access.listed(world.recommendations, ANN) == listed
    assert differences(world) == []


def test_check_does_not_report_list_still_to_be_built(world, impatient):
    world.rate(ANN, HEAT)
    assert (
        f"could not be compared: the list of {ANN} is not built (is a projector running?)"
        in differences(world)
    )


def test_check_accepts_right_lists_while_events_arrive(world):
    users = [UUID(int=100 + number) for number in range(20)]
    turns = iter(range(10**9))

    def rate() -> None:
        number = next(turns)
        event = MovieRated(
            user_id=users[number % 20], movie_id=1 + number % 5, score=1 + number % 10
        )
        recorded = world.recording.record(event, at=world.now)
        for model in (world.movies, world.trending, world.similarity, world.recommendations):
            model_access.apply(model, [recorded])

    with running_builder(world), repeatedly(rate):
        until(lambda: all(model_access.items(world.recommendations, user) for user in users))
        for _ in range(3):
            assert differences(world) == []
