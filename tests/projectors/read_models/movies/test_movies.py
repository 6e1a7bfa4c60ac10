"""Movies: cards, genre index and withdrawn movies, in any order of events."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.catalogue import (
    MovieAdded,
    MovieDescribed,
    MovieLinked,
    MovieRated,
    MovieRestored,
    MovieWithdrawn,
    RatingWithdrawn,
)
from projectors.read_models.movies.builder import MoviesBuilder
from projectors.read_models.movies.genre_index import GenreIndex
from projectors.read_models.movies.read_model import GenreCount, MovieFeatures, Movies
from tests.fixtures import model_access
from tests.fixtures.genre_lists import count_by_genre, newest_by_genre, prominent_by_genre

ANN, BOB = UUID(int=1), UUID(int=2)
ALIEN, HEAT = 1, 2
ADDED = MovieAdded(
    movie_id=ALIEN,
    title='Alien "79"',
    year=1979,
    genres=("Horror", "Science Fiction"),
    cast=("Sigourney Weaver",),
    external_ids={"imdb": "tt0078748"},
)
NOW = datetime.now(UTC)


@pytest.fixture
def movies(redis):
    return Movies(redis, 1)


@pytest.fixture
def apply_event(movies, recording):
    def apply_event(*events):
        for event in events:
            model_access.apply(movies, [recording.record(event)])

    return apply_event


def test_card_has_details_links_and_ratings(movies, apply_event):
    apply_event(
        ADDED,
        MovieLinked(movie_id=ALIEN, source="tmdb", external_id="348"),
        MovieRated(user_id=ANN, movie_id=ALIEN, score=9),
        MovieRated(user_id=BOB, movie_id=ALIEN, score=10),
    )
    assert json.loads(model_access.card(movies, ALIEN)) == {
        "id": ALIEN,
        "title": 'Alien "79"',
        "year": 1979,
        "genres": ["Horror", "Science Fiction"],
        "cast": ["Sigourney Weaver"],
        "external_ids": {"imdb": "tt0078748", "tmdb": "348"},
        "community": {"average": 9.5, "count": 2, "histogram": [0] * 8 + [1, 1]},
    }


def test_card_of_unrated_movie_has_no_average(movies, apply_event):
    apply_event(ADDED)
    community = json.loads(model_access.card(movies, ALIEN))["community"]
    assert community == {"average": None, "count": 0, "histogram": [0] * 10}


def test_new_score_moves_vote_and_withdrawal_removes_it(movies, apply_event):
    apply_event(
        ADDED,
        MovieRated(user_id=ANN, movie_id=ALIEN, score=2),
        MovieRated(user_id=ANN, movie_id=ALIEN, score=7, previous=2),
        MovieRated(user_id=BOB, movie_id=ALIEN, score=4),
        RatingWithdrawn(user_id=BOB, movie_id=ALIEN, previous=4),
    )
    community = json.loads(model_access.card(movies, ALIEN))["community"]
    assert (community["average"], community["count"]) == (7.0, 1)
    assert community["histogram"] == [0] * 6 + [1] + [0] * 3


def test_votes_of_unknown_movie_are_kept_until_it_is_added(movies, apply_event):
    apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=8))
    assert model_access.card(movies, ALIEN) is None
    assert movies.cards([ALIEN]) == {}
    apply_event(ADDED)
    assert json.loads(model_access.card(movies, ALIEN))["community"]["count"] == 1


def test_new_description_replaces_old_one_and_keeps_links(movies, apply_event):
    changed = MovieDescribed(movie_id=ALIEN, title="Alien", year=None, overview="In space.")
    apply_event(ADDED, changed)
    card = json.loads(model_access.card(movies, ALIEN))
    assert (card["title"], card["year"], card["genres"]) == ("Alien", None, [])
    assert card["overview"] == "In space."
    assert card["external_ids"] == {"imdb": "tt0078748"}


def test_cards_keep_requested_order_without_unknown_movies(movies, apply_event):
    apply_event(ADDED, MovieAdded(movie_id=HEAT, title="Heat", year=1995))
    cards = movies.cards([HEAT, 99, ALIEN])
    assert list(cards) == [HEAT, ALIEN]
    assert cards[ALIEN] == model_access.card(movies, ALIEN)


def test_features_of_known_movies_are_returned(movies, apply_event):
    apply_event(ADDED)
    assert movies.features_of([ALIEN, HEAT]) == {
        ALIEN: MovieFeatures(1979, ("Horror", "Science Fiction"))
    }
    assert movies.features_of([]) == movies.cards([]) == {}
    assert movies.count() == 1


def test_builder_moves_movie_between_genres(movies, apply_event):
    builder = MoviesBuilder(movies)
    apply_event(ADDED, MovieAdded(movie_id=HEAT, title="Heat", year=1995, genres=("Crime",)))
    builder.build(NOW)
    apply_event(MovieDescribed(movie_id=ALIEN, title="Alien", year=1979, genres=("Horror",)))
    builder.build(NOW)
    assert movies.genres() == [GenreCount("Crime", 1), GenreCount("Horror", 1)]
    assert movies.newest() == {"": [HEAT, ALIEN], "Crime": [HEAT], "Horror": [ALIEN]}
    assert builder.check(NOW) == []


def test_builder_reads_everything_when_late_or_superseded(movies, apply_event):
    first, second = MoviesBuilder(movies), MoviesBuilder(movies)
    apply_event(ADDED)
    first.build(NOW)
    apply_event(MovieAdded(movie_id=HEAT, title="Heat", year=1995, genres=("Crime",)))
    second.build(NOW)
    first.build(NOW)
    assert [genre.name for genre in movies.genres()] == ["Crime", "Horror", "Science Fiction"]


def test_built_offsets_follow_checkpoints(movies, apply_event, recording):
    apply_event(ADDED)
    partition = recording.events[0].partition
    assert movies.built(partition) == 0
    MoviesBuilder(movies).build(NOW)
    assert movies.built(partition) == 1


def test_genre_counts_and_newest_movies():
    facts = {
        1: MovieFeatures(1990, ("War",)),
        2: MovieFeatures(None, ("War",)),
        3: MovieFeatures(1999, ()),
    }
    assert count_by_genre(facts) == [GenreCount("War", 2)]
    assert newest_by_genre(facts) == {"": [3, 1, 2], "War": [1, 2]}
    assert prominent_by_genre(facts) == {"": []}


def test_builder_lists_the_most_prominent_movies_by_genre(movies, apply_event):
    builder = MoviesBuilder(movies)
    heat = MovieAdded(movie_id=HEAT, title="Heat", year=1995, genres=("Horror",), prominence=60)
    apply_event(ADDED, heat)
    builder.build(NOW)
    assert movies.prominent() == {"": [HEAT], "Horror": [HEAT]}
    apply_event(
        MovieDescribed(movie_id=ALIEN, title="Alien", year=1979, genres=("Horror",), prominence=90)
    )
    builder.build(NOW)
    assert movies.prominent() == {"": [ALIEN, HEAT], "Horror": [ALIEN, HEAT]}
    assert movies.features_of([ALIEN])[ALIEN].prominence == 90
    assert builder.check(NOW) == []
    apply_event(MovieWithdrawn(movie_id=HEAT, reason="a double"))
    builder.build(NOW)
    assert movies.prominent() == {"": [ALIEN], "Horror": [ALIEN]}


def test_card_names_the_directors_if_they_are_known(movies, apply_event):
    apply_event(ADDED)
    assert "directors" not in json.loads(model_access.card(movies, ALIEN))
    described = MovieDescribed(
        movie_id=ALIEN, title="Alien", year=1979, directors=("Ridley Scott",), prominence=90
    )
    apply_event(described)
    card = json.loads(model_access.card(movies, ALIEN))
    assert card["directors"] == ["Ridley Scott"]
    assert "prominence" not in card


details_strategy = st.builds(
    MovieFeatures,
    st.none() | st.integers(1990, 1993),
    st.lists(st.sampled_from(("Crime", "Drama", "War")), unique=True).map(tuple),
    st.integers(0, 3),
)
catalogues = st.dictionaries(st.integers(1, 12), details_strategy)


@given(catalogues, st.lists(catalogues, max_size=3))
def test_incremental_genre_index_equals_full_build(first, more):
    by_genre, facts = GenreIndex(first), dict(first)
    for some in more:
        by_genre.update(some)
        facts |= some
    assert by_genre.counts() == count_by_genre(facts)
    assert by_genre.newest() == newest_by_genre(facts)
    assert by_genre.prominent() == prominent_by_genre(facts)


def test_withdrawn_movie_is_in_no_answer_and_returns_complete(movies, apply_event):
    builder = MoviesBuilder(movies)
    apply_event(ADDED, MovieAdded(movie_id=HEAT, title="Heat", year=1995, genres=("Crime",)))
    apply_event(MovieRated(user_id=ANN, movie_id=ALIEN, score=9))
    builder.build(NOW)
    before, changes = model_access.card(movies, ALIEN), movies.catalogue_version()
    apply_event(MovieWithdrawn(movie_id=ALIEN, reason="a double"))
    assert movies.catalogue_version() != changes
    apply_event(MovieRated(user_id=BOB, movie_id=ALIEN, score=10))  # was in flight
    apply_event(MovieDescribed(movie_id=ALIEN, title="Alien", year=1979, genres=("Horror",)))
    builder.build(NOW)
    assert builder.check(NOW) == []
    assert model_access.card(movies, ALIEN) is None
    assert movies.cards([ALIEN, HEAT]).keys() == {HEAT}
    assert movies.titles_of([ALIEN, HEAT]) == {HEAT: "Heat"}
    assert movies.features_of([ALIEN, HEAT]).keys() == {HEAT}
    assert [movie for movie, _ in movies.all_features()] == [HEAT]
    assert (movies.count(), movies.withdrawn()) == (1, {ALIEN})
    assert movies.genres() == [GenreCount("Crime", 1)]
    assert movies.newest() == {"": [HEAT], "Crime": [HEAT]}
    apply_event(MovieRestored(movie_id=ALIEN))
    builder.build(NOW)
    assert builder.check(NOW) == []
    assert (movies.count(), movies.withdrawn()) == (2, frozenset())
    assert movies.genres() == [GenreCount("Crime", 1), GenreCount("Horror", 1)]
    card = json.loads(model_access.card(movies, ALIEN))
    assert (card["title"], card["community"]["count"]) == ("Alien", 2)
    assert (card["id"], card["external_ids"]) == (ALIEN, json.loads(before)["external_ids"])
