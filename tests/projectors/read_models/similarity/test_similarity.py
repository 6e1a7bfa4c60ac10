"""Similarity: neighbour lists, in any order of events."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from events.catalogue import MovieAdded, MovieDescribed, MovieRated, RatingWithdrawn
from projectors.read_models.similarity import incremental_update as module
from projectors.read_models.similarity.builder import SimilarityBuilder
from projectors.read_models.similarity.formula import DIGITS, LIST
from projectors.read_models.similarity.incremental_update import NeighbourLists
from projectors.read_models.similarity.neighbour import Neighbour
from projectors.read_models.similarity.projection import ContentFeatures
from projectors.read_models.similarity.read_model import Similarity
from tests.fixtures import model_access
from tests.fixtures.recording import NOON
from tests.fixtures.similarity_formula import content, similarity

ALIEN, ALIENS, HEAT, RONIN, TRON = 1, 2, 3, 4, 5
FACTS = {
    ALIEN: ContentFeatures(1979, ("Horror", "Science Fiction")),
    ALIENS: ContentFeatures(1986, ("Horror", "Science Fiction")),
    HEAT: ContentFeatures(1995, ("Crime",)),
    RONIN: ContentFeatures(1998, ("Crime",)),
    TRON: ContentFeatures(None, ()),
}
GENRES = ("Crime", "Drama", "Horror", "War")


def added(movie, facts=None):
    details = facts or FACTS[movie]
    return MovieAdded(movie_id=movie, title=f"M{movie}", year=details.year, genres=details.genres)


def rated(user, movie, score=9, previous=None):
    return MovieRated(user_id=UUID(int=user), movie_id=movie, score=score, previous=previous)


class World:
    """A log, the model that applies it, and its builder."""

    def __init__(self, redis, recording):
        self.similarity = Similarity(redis, 1)
        self.builder = SimilarityBuilder(self.similarity)
        self.recording = recording
        self.apply_event(*map(added, FACTS))

    def apply_event(self, *events):
        for event in events:
            model_access.apply(self.similarity, [self.recording.record(event)])

    def build(self):
        self.builder.build(NOON)
        assert self.builder.check(NOON) == []

    def list(self, movie):
        with self.similarity.redis.pipeline(transaction=False) as pipe:
            self.similarity.enqueue_neighbours(pipe, movie)
            return self.similarity.read_neighbours(movie, pipe.execute())


@pytest.fixture
def world(redis, recording):
    return World(redis, recording)


def test_neighbours_without_likes_follow_content(world):
    world.build()
    apart = content(FACTS[ALIEN].genres, 1979, FACTS[ALIENS].genres, 1986)
    assert world.list(ALIEN) == [Neighbour(ALIENS, round(0.2 * apart, DIGITS), 0)]
    assert [neighbour.movie for neighbour in world.list(RONIN)] == [HEAT]
    assert world.list(TRON) == []
    assert world.list(99) is None


def test_common_likes_make_neighbours(world):
    world.build()
    for user in range(6):
        world.apply_event(rated(user, ALIEN, 8), rated(user, HEAT, 10))
    world.apply_event(rated(7, ALIEN, 7))
    world.build()
    [heat, aliens] = world.list(ALIEN)
    assert heat == Neighbour(HEAT, round(6 / 36, DIGITS), 6)
    assert aliens.movie == ALIENS
    assert world.list(HEAT)[0] == Neighbour(ALIEN, heat.score, 6)
    assert [neighbour.movie for neighbour in world.list(ALIENS)] == [ALIEN]


def test_withdrawn_like_no_longer_counts(world):
    world.build()
    before = world.list(ALIEN), world.list(HEAT)
    world.apply_event(rated(1, ALIEN), rated(1, HEAT), rated(2, ALIEN), rated(2, HEAT))
    world.build()
    world.apply_event(
        rated(1, HEAT, 3, previous=9),
        RatingWithdrawn(user_id=UUID(int=1), movie_id=ALIEN, previous=9),
        RatingWithdrawn(user_id=UUID(int=2), movie_id=ALIEN, previous=9),
        RatingWithdrawn(user_id=UUID(int=2), movie_id=HEAT, previous=9),
        RatingWithdrawn(user_id=UUID(int=1), movie_id=HEAT, previous=3),
    )
    world.build()
    assert (world.list(ALIEN), world.list(HEAT)) == before


def test_likes_of_unknown_movie_are_kept_until_it_is_added(world):
    world.apply_event(rated(1, 77), rated(1, ALIEN))
    world.build()
    assert 77 not in [neighbour.movie for neighbour in world.list(ALIEN)]
    world.apply_event(added(77, ContentFeatures(1979, ("Drama",))))
    world.build()
    assert Neighbour(77, round(1 / 31, DIGITS), 1) in world.list(ALIEN)


def test_new_description_changes_neighbours(world):
    world.apply_event(rated(1, HEAT))
    world.build()
    world.apply_event(MovieDescribed(movie_id=RONIN, title="R", year=1979, genres=("Horror",)))
    world.build()
    assert world.list(HEAT) == []
    assert {neighbour.movie for neighbour in world.list(RONIN)} == {ALIEN, ALIENS}


def test_redelivered_likes_count_once(world):
    batch = [world.recording.record(rated(1, ALIEN)), world.recording.record(rated(1, HEAT))]
    model_access.apply(world.similarity, batch)
    model_access.apply(world.similarity, batch)
    world.build()
    assert world.list(ALIEN)[-1].support == 1


def test_neighbours_do_not_depend_on_partition_order(redis, recording):
    chance = Random(5)
    for movie in FACTS:
        recording.record(added(movie))
    for user in range(30):
        for movie in FACTS:
            recording.record(rated(user, movie, chance.randint(1, 10)))
    results = []
    partitions = recording.by_partition()
    for generation, order in enumerate((sorted(partitions), sorted(partitions, reverse=True))):
        similarity = Similarity(redis, generation)
        for partition in order:
            model_access.apply(similarity, partitions[partition])
        SimilarityBuilder(similarity).build(NOON)
        results.append(similarity.neighbours_of(list(FACTS)))
    assert results[0] == results[1]


def test_lost_neighbour_lists_are_rebuilt(world):
    world.apply_event(rated(1, ALIEN), rated(1, HEAT))
    world.build()
    before = world.list(ALIEN)
    for key in world.similarity.redis.scan_iter(match="{similarity.*:derived:*"):
        world.similarity.redis.delete(key)
    world.builder.build(NOON)
    assert world.list(ALIEN) == before


def test_similarity_builder_waits_for_incoming_catalogue(world):
    world.build()
    drama = ContentFeatures(1990, ("Drama",))
    world.apply_event(*(added(movie, drama) for movie in range(100, 400)))
    world.builder.build(NOON)
    assert world.list(100) == []
    partitions = world.recording.partitions
    offsets = world.similarity.checkpoints(partitions)
    assert world.similarity.built_offsets(partitions) != offsets
    world.builder.build(NOON)
    assert world.similarity.built_offsets(partitions) == offsets
    assert world.builder.check(NOON) == []
    assert len(world.list(100)) == LIST


def test_check_reports_wrong_neighbours(world):
    world.apply_event(rated(1, ALIEN))
    world.build()
    world.similarity.redis.hdel(world.similarity.lists_key, str(ALIEN))
    assert world.builder.check(NOON) == [
        f"the neighbours of {ALIEN} differ from those computed from likes and genres"
    ]


movies = st.integers(1, 12)
facts = st.builds(
    ContentFeatures,
    st.none() | st.integers(1990, 1996),
    st.sets(st.sampled_from(GENRES)).map(lambda some: tuple(sorted(some))),
)
people = st.sets(st.integers(1, 6).map(lambda user: str(user).encode()))
catalogues = st.dictionaries(movies, facts)
crowds = st.dictionaries(movies, people)


@settings(deadline=None)
@given(catalogues, crowds, st.lists(st.tuples(catalogues, crowds), max_size=4))
@example(  # into a list with room for exactly one more
    {movie: ContentFeatures(None, ("Crime", "Drama")) for movie in (2, 3, 4, 5)},
    {},
    [({1: ContentFeatures(None, ("Crime",))}, {})],
)
def test_incremental_neighbours_equal_full_build(facts, likers, steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LIST", 4)
        incremental = NeighbourLists(facts, likers)
        for more_facts, others in steps:
            incremental.update(more_facts, others)
            facts, likers = facts | more_facts, likers | others
        full_build = NeighbourLists(facts, likers)
    assert incremental.own == full_build.own
    assert incremental.alike == full_build.alike


@settings(deadline=None)
@given(catalogues, crowds)
def test_vectorised_scores_equal_the_formula(facts, likers):
    for movie, neighbours in NeighbourLists(facts, likers).own.items():
        for other, score, support in neighbours:
            both = len(likers[movie] & likers.get(other, set()))
            alike = content(
                facts[movie].genres, facts[movie].year, facts[other].genres, facts[other].year
            )
            expected = similarity(both, len(likers[movie]), len(likers.get(other, ())), alike)
            assert score == pytest.approx(expected, abs=1e-4)
            assert support == both
        assert movie not in [neighbour.movie for neighbour in neighbours]
        assert neighbours == sorted(neighbours, key=lambda neighbour: neighbour.order)
