"""Recommendation lists: they follow a user's events at once, and trends in time."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieFavourited,
    MovieHidden,
    MovieRated,
    MovieRestored,
    MovieUnfavourited,
    MovieUnhidden,
    MovieWithdrawn,
    PreferencesChanged,
    RatingWithdrawn,
)
from events.recorded import partition_of
from infra.security.signing import BadSignature
from projectors.building.builder import Builder
from projectors.generations.live import GENERATIONS_KEY
from projectors.generations.pointers import Pointers
from projectors.read_models.movies.builder import MoviesBuilder
from projectors.read_models.movies.read_model import Movies
from projectors.read_models.recommendations.builder import RecommendationsBuilder
from projectors.read_models.recommendations.page import paginate, render
from projectors.read_models.recommendations.read_model import COLD_START, Recommendations
from projectors.read_models.similarity.builder import SimilarityBuilder
from projectors.read_models.similarity.read_model import Similarity
from projectors.read_models.trending.builder import TrendingBuilder
from projectors.read_models.trending.read_model import Trending
from projectors.storage.pagination import DEFAULT_LIMIT
from tests.fixtures import model_access
from tests.fixtures.recording import NOON, Recording

ANN, BOB = UUID(int=1), UUID(int=2)
ALIEN, ALIENS, HEAT, RONIN, TRON = 1, 2, 3, 4, 5
OLD = 6
GENRES = {
    ALIEN: ("Horror",),
    ALIENS: ("Horror",),
    HEAT: ("Crime",),
    RONIN: ("Crime",),
    TRON: ("Science Fiction",),
}

pytestmark = pytest.mark.usefixtures("keys")


def answer(redis) -> None:
    """Mark every source of the lists as live."""
    Pointers(redis).switch(dict.fromkeys((Movies.name, Trending.name, Similarity.name), 1))


class World:
    """A log, the models that apply it, and their builders."""

    def __init__(self, redis):
        self.redis = redis
        self.recording = Recording()
        self.movies, self.trending = Movies(redis, 1), Trending(redis, 1)
        self.recommendations = Recommendations(redis, 1)
        self.now = NOON
        self.similarity = Similarity(redis, 1)
        answer(redis)
        self.begin()
        for movie, genres in GENRES.items():
            self.apply_event(
                MovieAdded(movie_id=movie, title=f"M{movie}", year=1990, genres=genres)
            )

    def begin(self):
        """Builders that have just started."""
        self.builder = RecommendationsBuilder(
            self.recommendations, self.trending, self.movies, self.similarity
        )
        self.others: list[Builder] = [
            MoviesBuilder(self.movies),
            TrendingBuilder(self.trending, self.movies),
            SimilarityBuilder(self.similarity),
        ]

    def apply_event(self, event):
        recorded = self.recording.record(event, at=self.now)
        for model in (self.movies, self.trending, self.similarity, self.recommendations):
            model_access.apply(model, [recorded])

    def rate(self, user, movie, score=9, previous=None):
        event = MovieRated(user_id=user, movie_id=movie, score=score, previous=previous)
        self.apply_event(event)

    def build(self, *, after=timedelta(0)):
        self.now += after
        for builder in (*self.others, self.builder):
            builder.build(self.now)
        while self.builder.interval_seconds < RecommendationsBuilder.interval_seconds:
            self.now += timedelta(seconds=0.1)
            self.builder.build(self.now)

    def shown(self, user):
        """Movies on a user's page, and the page."""
        with self.redis.pipeline(transaction=False) as pipe:
            self.recommendations.enqueue_page(pipe, user)
            page = json.loads(self.recommendations.read_page(pipe.execute()) or "null")
        return [item["id"] for item in page["items"]], page


@pytest.fixture
def world(redis):
    return World(redis)


def test_new_user_gets_trending_movies(world):
    for _ in range(3):
        world.rate(uuid4(), RONIN)
    world.build()
    movies, page = world.shown(ANN)
    assert movies[0] == RONIN
    assert page["items"][0]["reasons"][0]["because"] == "trending"
    assert page["items"][0]["community"]["count"] == 3
    assert set(movies) == set(GENRES)


def test_most_prominent_movies_lead_the_list_of_a_new_user_while_nobody_has_rated(world):
    for movie, prominence in ((TRON, 50), (ALIENS, 90), (HEAT, 70)):
        world.apply_event(
            MovieDescribed(
                movie_id=movie, title="M", year=1960, genres=GENRES[movie], prominence=prominence
            )
        )
    old = MovieAdded(movie_id=OLD, title="Old", year=1920, genres=("Western",), prominence=95)
    world.apply_event(old)
    for year in range(1, 250):  # newer ones of no prominence, more than a list of the newest holds
        new = MovieAdded(movie_id=1000 + year, title="New", year=2020, genres=("Western",))
        world.apply_event(new)
    world.build()
    assert world.shown(ANN)[0][:4] == [OLD, ALIENS, HEAT, TRON]
    world.rate(BOB, RONIN)
    world.build(after=timedelta(seconds=2))
    assert world.shown(ANN)[0][:3] == [RONIN, OLD, ALIENS]


def test_rating_changes_list_at_next_build(world):
    world.build()
    world.rate(ANN, ALIEN, 10)
    world.builder.build(world.now)
    movies, page = world.shown(ANN)
    assert movies[0] == ALIENS
    assert ALIEN not in movies
    assert page["items"][0]["reasons"][0]["because"] == "rated"
    assert page["items"][0]["reasons"][0]["movie"] == ALIEN
    assert ALIEN in world.shown(BOB)[0]


def test_movie_of_withdrawn_rating_is_recommended_again(world):
    world.rate(ANN, ALIEN)
    world.rate(ANN, HEAT)
    world.build()
    world.apply_event(RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=9))
    world.build()
    movies, _ = world.shown(ANN)
    assert ALIEN in movies
    assert movies.index(RONIN) < movies.index(ALIENS)


def test_user_who_withdrew_everything_gets_cold_start_list(world):
    world.rate(ANN, ALIEN)
    world.build()
    world.apply_event(RatingWithdrawn(user_id=ANN, movie_id=ALIEN, previous=9))
    world.build(after=timedelta(seconds=2))
    assert world.shown(ANN) == world.shown(BOB)


def test_preferences_alone_change_the_list(world):
    world.apply_event(PreferencesChanged(user_id=ANN, genres=("Science Fiction",)))
    world.build()
    movies, page = world.shown(ANN)
    assert movies[0] == TRON
    assert page["items"][0]["reasons"][0] == {
        "because": "genre",
        "share": page["items"][0]["reasons"][0]["share"],
        "genre": "Science Fiction",
    }
    world.apply_event(PreferencesChanged(user_id=ANN, genres=()))
    world.build(after=timedelta(seconds=2))
    assert world.shown(ANN) == world.shown(BOB)


def test_lists_follow_moved_trends(world):
    world.rate(ANN, ALIEN)
    world.build()
    before = model_access.listed(world.recommendations, ANN)
    for _ in range(50):
        world.rate(uuid4(), TRON)
    world.build(after=timedelta(seconds=2))
    world.build(after=timedelta(seconds=2))
    after = model_access.listed(world.recommendations, ANN)
    assert after.items[0].movie == TRON != before.items[0].movie
    assert after.made_at > before.made_at


def test_withdrawn_movie_leaves_lists_even_without_heat(world):
    for movie in (ALIEN, ALIENS, HEAT, RONIN):
        world.rate(uuid4(), movie)
    world.rate(ANN, ALIEN)
    world.build()
    assert TRON in world.shown(ANN)[0]
    world.apply_event(MovieWithdrawn(movie_id=TRON, reason="a double"))
    world.build(after=timedelta(seconds=2))
    world.build(after=timedelta(seconds=1))
    assert TRON not in world.shown(ANN)[0]
    world.apply_event(MovieRestored(movie_id=TRON))
    world.build(after=timedelta(seconds=2))
    world.build(after=timedelta(seconds=1))
    assert TRON in world.shown(ANN)[0]


def test_old_lists_are_rebuilt(world):
    world.rate(ANN, ALIEN)
    world.build()
    made_at = model_access.listed(world.recommendations, ANN).made_at
    world.build(after=timedelta(minutes=4))
    assert model_access.listed(world.recommendations, ANN).made_at == made_at
    world.build(after=timedelta(minutes=2))
    assert model_access.listed(world.recommendations, ANN).made_at > made_at


def test_built_offsets_wait_for_all_marked_lists(world):
    users = [UUID(int=n) for n in range(120)]
    for user in users:
        world.rate(user, ALIEN)
    partitions = world.recording.partitions
    world.builder.build(NOON)
    behind = world.recommendations.built_offsets(partitions)
    assert behind != world.recommendations.checkpoints(partitions)
    assert world.builder.interval_seconds == 0
    world.build()
    assert world.recommendations.built_offsets(partitions) == world.recommendations.checkpoints(
        partitions
    )
    assert all(ALIEN not in world.shown(user)[0] for user in users)
    world.build(after=timedelta(minutes=6))  # all of one market
    assert world.builder.check(world.now) == []


def test_latest_user_is_built_before_the_queue(world):
    world.build()
    users = [UUID(int=n) for n in range(200)]
    for user in users:
        world.rate(user, ALIEN)
    world.rate(users[0], HEAT)
    world.builder.build(world.now)
    assert world.builder.interval_seconds == 0
    assert set(world.shown(users[0])[0]) == {ALIENS, RONIN, TRON}


def test_mark_set_during_build_is_kept(world, monkeypatch):
    world.build()
    world.rate(ANN, ALIEN)
    write = world.builder._write

    def rated_meanwhile(*args):
        monkeypatch.undo()
        world.rate(ANN, HEAT)
        write(*args)

    monkeypatch.setattr(world.builder, "_write", rated_meanwhile)
    world.builder.build(world.now)
    recorded = world.recording.events[-1]
    assert world.recommendations.built(recorded.partition) < recorded.offset
    world.builder.build(world.now)
    assert world.recommendations.built(recorded.partition) == recorded.offset
    assert world.shown(ANN)[0] == [ALIENS, RONIN, TRON]


def test_superseded_builder_writes_no_list(world, monkeypatch):
    """While a generation is switched, the old one's builder may still run."""
    world.build()
    world.rate(ANN, ALIEN)
    write, slow = world.builder._write, world.builder

    def overtaken(*args):
        monkeypatch.undo()
        world.rate(ANN, HEAT)
        world.begin()
        world.build()
        write(*args)

    monkeypatch.setattr(slow, "_write", overtaken)
    slow.build(world.now)
    assert set(world.shown(ANN)[0]) == {ALIENS, RONIN, TRON}
    assert world.builder.check(world.now) == []


def test_lost_built_offsets_are_noted_again(world):
    world.rate(ANN, ALIEN)
    world.build()
    shard, partition = world.recommendations.shard_of(ANN), world.recording.events[-1].partition
    at = world.recommendations.built(partition)
    world.redis.hset(shard.built_key, str(partition), at - 1)  # as it was before
    world.build()
    assert world.recommendations.built(partition) == at


def test_retried_event_is_built_without_checkpoint_move(world):
    world.rate(ANN, ALIEN)
    world.build()
    partition = partition_of(str(ANN), world.recording.partitions)
    at, shard = world.recommendations.checkpoint(partition), world.recommendations.shard_of(ANN)
    assert world.recommendations.built(partition) == at
    world.redis.hset(shard.derived("dirty"), str(ANN), at)  # as left by a retry
    world.redis.hset(shard.built_key, str(partition), at - 1)
    world.builder.build(world.now)
    assert world.recommendations.built(partition) == at


def test_builder_that_dies_keeps_marks(world, monkeypatch):
    world.build()
    world.rate(ANN, ALIEN)
    with monkeypatch.context() as broken:
        broken.setattr(world.builder, "_write", _break)
        with pytest.raises(OSError, match="away"):
            world.builder.build(world.now)
    world.begin()
    world.build()
    assert ALIEN not in world.shown(ANN)[0]


def _break(*_args, **_more):
    raise OSError("away")


def test_genre_pages_have_no_gap_or_repeat(world):
    world.rate(ANN, TRON, 10)
    world.build()
    items = model_access.items(world.recommendations, ANN)
    first = paginate(items, "Crime", limit=1)
    second = paginate(items, "Crime", limit=1, cursor=first.next)
    assert [item.movie for item in first.items + second.items] == [HEAT, RONIN]
    assert second.next is None
    with pytest.raises(BadSignature):
        paginate(items, "Horror", limit=1, cursor=first.next)


def test_query_renders_recommendations_as_the_builder_does(world):
    world.rate(ANN, ALIEN)
    world.build()
    chosen = paginate(model_access.items(world.recommendations, ANN), limit=20)
    cards = world.movies.cards([item.movie for item in chosen.items])
    assert json.loads(render(chosen, cards)) == world.shown(ANN)[1]


def test_hidden_movie_is_never_recommended(world):
    world.rate(ANN, ALIEN)
    world.apply_event(MovieHidden(user_id=ANN, movie_id=ALIENS))
    world.build()
    assert set(world.shown(ANN)[0]) == {HEAT, RONIN, TRON}
    world.apply_event(MovieUnhidden(user_id=ANN, movie_id=ALIENS))
    world.build()
    assert ALIENS in world.shown(ANN)[0]


def test_user_with_hidden_movies_only_has_own_list(world):
    world.apply_event(MovieHidden(user_id=BOB, movie_id=TRON))
    world.build()
    assert set(world.shown(BOB)[0]) == {ALIEN, ALIENS, HEAT, RONIN}


def test_favourite_changes_list_and_is_a_reason(world):
    world.apply_event(MovieFavourited(user_id=ANN, movie_id=ALIEN))
    world.build()
    movies, page = world.shown(ANN)
    assert movies[0] == ALIENS
    assert ALIEN not in movies
    reason = page["items"][0]["reasons"][0]
    assert (reason["because"], reason["movie"], reason["title"]) == ("favourite", ALIEN, "M1")
    world.apply_event(MovieUnfavourited(user_id=ANN, movie_id=ALIEN))
    world.build(after=timedelta(seconds=2))
    assert world.shown(ANN) == world.shown(BOB)


def test_movie_liked_by_the_same_users_is_recommended(world):
    for _ in range(6):
        other = uuid4()
        world.rate(other, HEAT)
        world.rate(other, TRON)
    for _ in range(6):
        world.rate(uuid4(), RONIN, 7)
    world.build()
    world.build(after=timedelta(seconds=2))
    world.rate(ANN, HEAT)
    world.build()
    tron = next(item for item in world.shown(ANN)[1]["items"] if item["id"] == TRON)
    because = {reason["because"]: reason for reason in tron["reasons"]}
    assert because["rated"]["movie"] == HEAT
    assert because["rated"]["title"] == "M3"
    assert because["rated"]["share"] > 0


def test_list_of_earlier_snapshot_is_old_at_once(world):
    """A list is built in the pass after which trends move."""
    world.rate(ANN, ALIEN)
    world.build()
    for _ in range(50):
        world.rate(uuid4(), TRON)
    world.rate(ANN, HEAT)
    world.build(after=timedelta(seconds=2))
    world.build(after=timedelta(seconds=1))
    assert world.shown(ANN)[0][0] == TRON


def test_movie_without_reason_is_left_out_of_full_list(world):
    war = ("War",)
    for movie in range(100, 100 + DEFAULT_LIMIT):
        world.apply_event(MovieAdded(movie_id=movie, title=f"M{movie}", year=1990, genres=war))
    world.apply_event(PreferencesChanged(user_id=ANN, genres=war))
    world.build(after=timedelta(seconds=2))
    items = model_access.items(world.recommendations, ANN)
    assert len(items) == DEFAULT_LIMIT
    assert all(item.reasons for item in items)
    assert any(not item.reasons for item in model_access.items(world.recommendations, BOB))


def test_lost_recommendation_lists_are_rebuilt(world):
    world.rate(ANN, ALIEN)
    world.apply_event(PreferencesChanged(user_id=BOB, genres=("Crime",)))
    world.build()
    before = (
        model_access.items(world.recommendations, ANN),
        model_access.items(world.recommendations, BOB),
    )
    for key in world.redis.scan_iter(match="{recommendations.*:derived:*"):
        world.redis.delete(key)
    world.build(after=timedelta(minutes=2))
    assert (
        model_access.items(world.recommendations, ANN),
        model_access.items(world.recommendations, BOB),
    ) == before
    assert world.builder.check(world.now) == []


def test_check_reports_wrong_lists(world):
    world.rate(ANN, ALIEN)
    world.build()
    shard = world.recommendations.shard_of(ANN)
    world.redis.hset(shard.state("history", str(ANN)), str(HEAT), "9:0")
    assert world.builder.check(world.now) == [
        f"{ANN}: is recommended movies that they rated, favourited or hid: [{HEAT}]"
    ]
    world.redis.delete(shard.derived("list", str(ANN)))
    assert world.builder.check(world.now) == [f"{ANN}: has no list"]


def test_builder_waits_for_its_sources(world):
    """After a loss of Redis, preferences catch up first."""
    world.rate(ANN, 1)
    world.redis.delete(GENERATIONS_KEY)
    world.begin()
    world.build()
    assert world.recommendations.built_offsets(world.recording.partitions) == [
        0 for _ in range(world.recording.partitions)
    ]
    assert model_access.items(world.recommendations, COLD_START) == ()
    answer(world.redis)
    world.begin()
    world.build()
    assert model_access.items(world.recommendations, ANN) != ()
    checkpoints = world.recommendations.checkpoints(world.recording.partitions)
    assert world.recommendations.built_offsets(world.recording.partitions) == checkpoints
