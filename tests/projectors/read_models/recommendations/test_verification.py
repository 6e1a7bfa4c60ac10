"""Is every list that is not what it must be found out, and no other, while events come in?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from uuid import UUID

import pytest
from msgspec.structs import replace

from events.catalogue import (
    MovieAdded,
    MovieFavourited,
    MovieRated,
    MovieWithdrawn,
    PreferencesChanged,
)
from projectors.read_models.recommendations import verification
from projectors.read_models.recommendations.builder import RecommendationsBuilder
from projectors.read_models.recommendations.candidate_snapshot import Market, Sources
from projectors.read_models.recommendations.input_digest import seal_of
from projectors.read_models.recommendations.list_record import pack
from projectors.read_models.recommendations.page import Item, choose, render
from projectors.read_models.recommendations.read_model import NOBODY
from projectors.storage.pagination import DEFAULT_LIMIT
from projectors.storage.shard import ShardPaused
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
STRANGE = 99

pytestmark = pytest.mark.usefixtures("keys")


@pytest.fixture
def world(redis) -> World:
    """With people of whom one rated, one prefers, and one keeps something."""
    world = World(redis)
    world.rate(ANN, ALIEN)
    world.happen(PreferencesChanged(user_id=BOB, genres=("Crime",)))
    world.happen(MovieFavourited(user_id=CARL, movie_id=TRON))
    for _ in range(2):  # in the second they are made of what the first brought
        world.build(after=timedelta(minutes=6))
    return world


@pytest.fixture
def impatient(monkeypatch):
    """Waits for nobody."""
    monkeypatch.setattr(verification, "_PATIENCE_SECONDS", 0.0)


def checked(world: World) -> list[str]:
    """What ``verify`` finds, beside the builder of a worker."""
    return beside(world).check(world.now)


def beside(world: World) -> RecommendationsBuilder:
    sources = Sources(world.trending, world.movies, world.similarity)
    return RecommendationsBuilder(world.recommendations, sources, world.recording.partitions)


def write(world: World, user: UUID | str, items: Sequence[Item], *, is_sealed: bool = True) -> None:
    """A list as a builder would write it that makes it of wrong movies; or somebody else would."""
    shard = (
        world.recommendations.shard(0) if user == NOBODY else world.recommendations.shard_of(user)
    )
    cards = world.movies.cards([item.movie for item in items] + [ALIEN])
    cards[STRANGE] = cards[ALIEN].replace(b'"id":1', b'"id":99')
    page = render(choose(items, limit=DEFAULT_LIMIT), cards)
    listed = replace(world.recommendations.listed(user), items=tuple(items))
    if is_sealed:
        listed = replace(listed, seal=seal_of(listed, page))
    world.redis.set(shard.derived("list", str(user)), pack(listed))
    world.redis.set(shard.derived("page", str(user)), page)


def with_movies_swapped(items: Sequence[Item]) -> Sequence[Item]:
    first, second, *rest = items
    return [replace(first, movie=second.movie), replace(second, movie=first.movie), *rest]


def with_a_wrong_movie(items: Sequence[Item]) -> Sequence[Item]:
    first, *rest = items
    return [replace(first, movie=STRANGE), *rest]


def without_one(items: Sequence[Item]) -> Sequence[Item]:
    return items[:-1]


def with_other_genres(items: Sequence[Item]) -> Sequence[Item]:
    first, *rest = items
    return [replace(first, genres=("War",)), *rest]


WRONG = [with_movies_swapped, with_a_wrong_movie, without_one, with_other_genres]


def test_right_ones_are_right(world, impatient):
    assert checked(world) == []


@pytest.mark.parametrize("user", [ANN, BOB, CARL, NOBODY])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_list_in_a_plausible_order_is_named(world, impatient, user, wrong):
    items = world.recommendations.items(user)
    write(world, user, wrong(items))
    [found] = checked(world)
    assert found.startswith(f"{user}: has a list that is not what is recommended: ")
    write(world, user, items)
    assert checked(world) == []


def test_it_is_said_what_is_in_whose_place(world, impatient):
    items = world.recommendations.items(ANN)
    write(world, ANN, with_a_wrong_movie(items))
    [found] = checked(world)
    assert found.endswith(f": {STRANGE} in place 1, which is that of {items[0].movie}")


@pytest.mark.parametrize("user", [ANN, BOB, NOBODY])
def test_a_missing_one_is_named(world, impatient, user):
    shard = (
        world.recommendations.shard(0) if user == NOBODY else world.recommendations.shard_of(user)
    )
    world.redis.delete(shard.derived("list", str(user)))
    assert checked(world) == [f"{user}: has no list"]


def test_a_list_of_who_said_nothing_is_named(world, impatient):
    listed = world.recommendations.listed(ANN)
    shard = world.recommendations.shard_of(DORA)
    world.redis.set(shard.derived("list", str(DORA)), pack(listed))
    assert checked(world) == [f"{DORA}: has a list, and said nothing"]


def test_a_list_of_other_words_is_named(world, impatient):
    """As when a mark was lost: they rated it anew, and nobody noticed."""
    shard = world.recommendations.shard_of(ANN)
    world.redis.hset(shard.state("history", str(ANN)), str(ALIEN), "2:0")
    assert checked(world) == [f"{ANN}: has a list that was made of something else than they said"]


@contextmanager
def again_and_again(turn: Callable[[], None]) -> Iterator[None]:
    """Take turns in another thread as long as the block lasts."""
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
def builders_at_work(world: World) -> Iterator[None]:
    """As in a worker."""
    began, noon = monotonic(), world.now

    def build() -> None:
        world.now = noon + timedelta(seconds=monotonic() - began)
        for builder in (*world.others, world.builder):
            builder.build(world.now)

    with again_and_again(build):
        yield


def let_the_market_move(world: World) -> None:
    """There is one more movie."""
    movie = 1000 + len(world.recording.events)
    world.happen(MovieAdded(movie_id=movie, title="New", year=2026, genres=("Crime",)))
    for builder in world.others:
        builder.build(world.now)


def test_a_list_of_a_market_that_is_gone_is_made_again_and_right(world):
    let_the_market_move(world)
    before = world.recommendations.listed(ANN)
    with builders_at_work(world):
        assert checked(world) == []
    assert world.recommendations.listed(ANN).made_at > before.made_at


def test_one_that_somebody_else_wrote_is_named_though_its_market_is_gone(world, impatient):
    write(world, ANN, with_movies_swapped(world.recommendations.items(ANN)), is_sealed=False)
    let_the_market_move(world)
    found = checked(world)
    assert f"{ANN}: has a list or a page that is not as it was made" in found


def test_a_builder_that_makes_it_wrong_again_is_found_out(world, monkeypatch):
    """The list that was asked for is compared, not believed."""
    let_the_market_move(world)
    original = world.builder._write

    def wrongly(pipe, shard, said, market, now):
        original(
            pipe, shard, {user: replaced(user, one) for user, one in said.items()}, market, now
        )

    def replaced(user, one):
        return one._replace(ratings={**one.ratings, HEAT: 9}) if user == str(ANN) else one

    monkeypatch.setattr(world.builder, "_write", wrongly)
    with builders_at_work(world):
        assert checked(world) == [
            f"{ANN}: has a list that was made of something else than they said"
        ]


def test_what_nobody_makes_again_is_not_called_wrong_nor_right(world, monkeypatch):
    monkeypatch.setattr(verification, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(verification, "_LONGEST_HOLD_SECONDS", 0.1)
    monkeypatch.setattr("projectors.read_models.recommendations.builder.HOLD_SECONDS", 0.1)
    let_the_market_move(world)
    [moved] = checked(world)
    assert moved.startswith("could not be compared: the list of ")
    assert moved.endswith(" and not made again (is a projector running?)")
    assert " and 3 more, " in moved
    let_the_market_move(world)  # nobody holds it any more


def test_a_page_that_leaves_out_what_was_withdrawn_meanwhile_is_not_called_wrong(world):
    sources = Sources(world.trending, world.movies, world.similarity)
    market = Market(sources, world.now)
    shown = world.recommendations.items(ANN)[0].movie
    world.happen(MovieWithdrawn(movie_id=shown, reason="a double"))
    world.builder._make(world.recommendations.shard_of(ANN), [str(ANN)], market, world.now)
    assert shown in [item.movie for item in world.recommendations.items(ANN)]
    with builders_at_work(world):
        assert checked(world) == []


def test_what_is_still_to_be_made_is_not_called_wrong(world, impatient):
    world.rate(ANN, HEAT)
    assert (
        f"could not be compared: the list of {ANN}, still to be made (is a projector running?)"
        in checked(world)
    )


def test_of_a_new_generation_it_makes_again_what_nobody_else_does(world):
    let_the_market_move(world)
    assert beside(world).prove(world.now) == []
    write(world, ANN, with_movies_swapped(world.recommendations.items(ANN)))
    [found] = beside(world).prove(world.now)
    assert found.startswith(f"{ANN}: has a list that is not what is recommended")


def test_finds_nothing_while_events_come_in(world):
    users = [UUID(int=100 + number) for number in range(20)]
    turns = iter(range(10**9))

    def rate() -> None:
        number = next(turns)
        event = MovieRated(
            user_id=users[number % 20], movie_id=1 + number % 5, score=1 + number % 10
        )
        recorded = world.recording.say(event, at=world.now)
        for model in (world.movies, world.trending, world.similarity, world.recommendations):
            apply(model, recorded)

    with builders_at_work(world), again_and_again(rate):
        until(lambda: all(world.recommendations.items(user) for user in users))
        for _ in range(3):
            assert checked(world) == []


def apply(model, recorded) -> None:
    """As a worker does: who holds still what it is for is waited for."""

    def is_in() -> bool:
        try:
            model.apply([recorded])
        except ShardPaused:
            return False
        return True

    until(is_in)


def test_of_many_a_sample_is_made_anew_and_it_is_said(world, impatient, monkeypatch):
    monkeypatch.setattr(verification, "_SAMPLE", 2)
    builder = beside(world)
    assert builder.check(world.now) == []
    day = world.now.date().isoformat()
    assert builder.sample == f"3 of 4 lists made anew, by the lot of {day}"
    write(world, NOBODY, with_movies_swapped(world.recommendations.items(NOBODY)))
    [found] = builder.check(world.now)
    assert found.startswith("nobody: ")


def test_of_a_market_that_is_gone_fewer_are_made_again_and_it_is_said(world, monkeypatch):
    monkeypatch.setattr(verification, "_SAMPLE_AGAIN", 1)
    let_the_market_move(world)
    builder = beside(world)
    assert builder.prove(world.now) == []
    assert builder.sample.startswith("2 of 4 lists made anew")
    assert builder.prove(world.now) == []
    assert builder.sample.startswith("3 of 4 lists made anew")


def test_of_everyone_not_in_the_sample_it_is_seen_that_it_is_as_it_was_made(
    world, impatient, monkeypatch
):
    monkeypatch.setattr(verification, "_SAMPLE", 0)
    write(world, ANN, with_movies_swapped(world.recommendations.items(ANN)), is_sealed=False)
    assert checked(world) == [f"{ANN}: has a list or a page that is not as it was made"]


def test_one_from_before_there_were_stamps_is_made_again(world, impatient):
    listed = world.recommendations.listed(ANN)
    shard = world.recommendations.shard_of(ANN)
    key = shard.derived("list", str(ANN))
    world.redis.set(key, pack((listed.made_at, listed.items)))
    assert checked(world) == []
    write(world, ANN, with_movies_swapped(listed.items))
    world.redis.set(key, pack((listed.made_at, with_movies_swapped(listed.items))))
    [found] = checked(world)
    assert found.startswith(f"could not be compared: the list of {ANN}, made of something else")
