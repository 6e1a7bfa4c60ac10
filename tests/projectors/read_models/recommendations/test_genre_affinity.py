"""Genre affinity, neighbour scores, candidates and reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projectors.read_models.movies.read_model import MovieFeatures
from projectors.read_models.recommendations.candidates import (
    Candidates,
    genre_shares,
    is_material_change,
    trend_scores,
)
from projectors.read_models.recommendations.genre_affinity import (
    FAVOURITE,
    MAX_REASONS,
    GenreAffinity,
    RecommendationReason,
    TrendScore,
    explain,
    genre_affinities,
    movie_affinity,
    rating_weights,
    reasons,
)
from projectors.read_models.recommendations.ranking import (
    HALF_LIFE,
    WEIGHT,
    neighbour_scores,
)
from projectors.read_models.similarity.neighbour import Neighbour

ALIEN, HEAT, TRON, AMELIE = 1, 2, 3, 4
GENRES = {
    ALIEN: ("Horror", "Science Fiction"),
    HEAT: ("Crime",),
    TRON: ("Science Fiction",),
    AMELIE: ("Comedy", "Romance"),
}
NAMES = sorted({genre for genres in GENRES.values() for genre in genres})
EVEN = dict.fromkeys(NAMES, 0.2)

scores = st.dictionaries(st.sampled_from(sorted(GENRES)), st.integers(1, 10))
preferred = st.sets(st.sampled_from(NAMES))
trends = st.builds(
    TrendScore, *(st.floats(0, most) for most in (1, 0.5, 0.02)), prominence=st.floats(0, 0.1)
)


def liked(ratings, preferred=(), shares=EVEN):
    return genre_affinities(ratings, preferred, genres=GENRES, shares=shares)


def test_user_without_ratings_has_no_affinity():
    assert liked({}) == {}
    assert movie_affinity(GENRES[ALIEN], {}) == 0


def test_loved_movie_raises_affinity_for_its_genres():
    affinities = liked({ALIEN: 10})
    assert set(affinities) == {"Horror", "Science Fiction"}
    assert affinities["Horror"].movie == ALIEN
    assert movie_affinity(GENRES[TRON], affinities) > movie_affinity(GENRES[HEAT], affinities) == 0


def test_higher_score_gives_higher_affinity():
    amounts = [liked({HEAT: score}).get("Crime", GenreAffinity(0)).amount for score in range(1, 11)]
    assert amounts[:3] == [0, 0, 0]
    assert amounts[2:] == sorted(set(amounts[2:]))


def test_disliked_movie_lowers_affinity():
    assert liked({HEAT: 1}) == {}
    without, with_ = liked({ALIEN: 9}), liked({ALIEN: 9, TRON: 1})
    assert with_["Science Fiction"].amount < without["Science Fiction"].amount
    assert with_["Science Fiction"].movie == ALIEN


def test_preference_outweighs_one_loved_movie():
    affinities = liked({HEAT: 10}, ["Comedy"])
    assert affinities["Comedy"].amount > affinities["Crime"].amount > 0
    assert affinities["Comedy"].movie is None


def test_common_genre_gives_lower_affinity():
    affinities = liked({HEAT: 8, TRON: 8}, shares=EVEN | {"Crime": 0.4, "Science Fiction": 0.1})
    assert affinities["Science Fiction"].amount == pytest.approx(2 * affinities["Crime"].amount)


def test_movie_of_unknown_genres_gives_no_affinity():
    assert genre_affinities({99: 10}, (), genres=GENRES, shares=EVEN) == {}


def test_first_rating_explains_its_recommendations():
    result = reasons(explain(GENRES[TRON], liked({ALIEN: 10})), TrendScore(1.0, 0.5, 0.0))
    assert [(reason.because, reason.movie) for reason in result] == [
        ("rated", ALIEN),
        ("trending", None),
        ("popular", None),
    ]


def test_reasons_without_affinity_are_the_trend():
    result = reasons(explain(GENRES[TRON], {}), TrendScore(0.75, 0.25, 0.0))
    assert result == (RecommendationReason("trending", 0.75), RecommendationReason("popular", 0.25))


def test_movie_without_affinity_or_heat_has_no_reasons():
    assert reasons(explain(GENRES[TRON], {}), TrendScore(0.0, 0.0, 0.02)) == ()
    assert reasons(explain((), {}), TrendScore(0.0, 0.0, 0.0)) == ()


@given(
    ratings=scores,
    preferred=preferred,
    movie=st.sampled_from(sorted(GENRES)),
    trend=trends,
)
def test_shares_of_explanation_add_up_to_one(ratings, preferred, movie, trend):
    affinities = liked(ratings, sorted(preferred))
    explanation = explain(GENRES[movie], affinities)
    shares = [*explanation.by_genre.values(), *explanation.by_movie.values()]
    total = explanation.of_trend + sum(shares)
    assert total == pytest.approx(1)
    affinity = movie_affinity(GENRES[movie], affinities)
    assert explanation.of_trend == pytest.approx(1 / (1 + affinity))
    stated = reasons(explanation, trend)
    assert len(stated) <= MAX_REASONS
    assert sum(round(100 * reason.share) for reason in stated) <= 100
    assert [reason.share for reason in stated] == sorted((r.share for r in stated), reverse=True)


@given(
    ratings=scores,
    movie=st.sampled_from(sorted(GENRES)),
    trend=trends,
    given_=st.dictionaries(st.sampled_from(sorted(GENRES)), st.floats(0.01, 2), min_size=1),
)
def test_reasons_state_exact_shares_of_liked_movies(ratings, movie, trend, given_):
    explanation = explain(GENRES[movie], liked(ratings))
    score = trend.total / explanation.of_trend + sum(given_.values())
    stated = {
        reason.movie: reason.share
        for reason in reasons(explanation, trend, given_)
        if reason.movie is not None
    }
    for rated, share in stated.items():
        of_genres = explanation.by_movie.get(rated, 0.0) * trend.total / explanation.of_trend
        assert share == pytest.approx((given_.get(rated, 0.0) + of_genres) / score, abs=0.0101)
    assert sum(round(100 * reason.share) for reason in reasons(explanation, trend, given_)) <= 100


def test_latest_liked_movie_gives_highest_neighbour_score():
    lists = {HEAT: [Neighbour(TRON, 0.5, 9)], ALIEN: [Neighbour(TRON, 0.5, 9)]}
    result = neighbour_scores([HEAT, ALIEN], {HEAT: 1.0, ALIEN: 1.0}, lists)
    assert set(result) == {TRON}
    assert result[TRON][HEAT] == pytest.approx(WEIGHT * 0.5)
    assert result[TRON][ALIEN] == pytest.approx(WEIGHT * 0.5 * 2 ** (-1 / HALF_LIFE))


def test_favourite_weighs_as_the_highest_score():
    assert rating_weights({HEAT: 3, ALIEN: 10}, [HEAT, TRON]) == {
        HEAT: FAVOURITE,
        ALIEN: FAVOURITE,
        TRON: FAVOURITE,
    }


@given(ratings=scores, preferred=preferred, more=st.sampled_from(NAMES))
def test_preference_never_lowers_affinity(ratings, preferred, more):
    before, after = liked(ratings, preferred), liked(ratings, preferred | {more})
    assert after.get(more, GenreAffinity(0)).amount >= before.get(more, GenreAffinity(0)).amount


KNOWN = {movie: MovieFeatures(1990 + movie, genres) for movie, genres in GENRES.items()}


def candidates(heats=None, rating_counts=None):
    return Candidates(KNOWN, heats=heats or {}, rating_counts=rating_counts or {}, year=2000)


@given(
    ratings=scores,
    preferred=preferred,
    heats=st.dictionaries(st.sampled_from(sorted(GENRES)), st.floats(0.1, 50)),
)
def test_candidate_score_is_trend_times_one_plus_affinity(ratings, preferred, heats):
    result = candidates(heats, {ALIEN: 10})
    affinities = liked(ratings, preferred, result.shares)
    for movie, score in zip(result.movies, result.scores(affinities), strict=True):
        expected = result.trends[movie].total * (1 + movie_affinity(GENRES[movie], affinities))
        assert score == pytest.approx(expected)


@given(ratings=scores, limit=st.integers(1, 5))
def test_candidates_rank_best_first_without_seen_movies(ratings, limit):
    result = candidates({HEAT: 3.0, ALIEN: 2.0}, {TRON: 9})
    best = result.best(liked(ratings), without=list(ratings), limit=limit)
    assert not {movie for movie, _ in best} & set(ratings)
    assert len(best) == min(limit, len(KNOWN) - len(ratings))
    assert best == sorted(best, key=lambda pair: (-pair[1], pair[0]))


def test_unrated_catalogue_still_has_candidates():
    fresh = candidates()
    assert [movie for movie, _ in fresh.best({}, without=[], limit=4)] == [
        AMELIE,
        TRON,
        HEAT,
        ALIEN,
    ]
    crime = fresh.best(liked({}, ["Crime"], fresh.shares), without=[], limit=4)
    assert crime[0][0] == HEAT


def test_unrated_movies_are_ordered_by_prominence_then_by_year():
    known = KNOWN | {
        HEAT: KNOWN[HEAT]._replace(prominence=60),
        ALIEN: KNOWN[ALIEN]._replace(prominence=61),
    }
    fresh = Candidates(known, heats={}, rating_counts={}, year=2000)
    assert [movie for movie, _ in fresh.best({}, without=[], limit=4)] == [
        ALIEN,
        HEAT,
        AMELIE,
        TRON,
    ]


@pytest.mark.parametrize("most", [1, 100, 90_000])
def test_one_rating_comes_before_any_prominence(most):
    known = {
        HEAT: MovieFeatures(1950, ("Crime",)),
        ALIEN: MovieFeatures(2000, ("Horror",), 100),
        TRON: MovieFeatures(1982, ("Action",), 100),
    }
    scores = trend_scores(known, heats={}, rating_counts={HEAT: 1, TRON: most}, year=2000)
    assert scores[HEAT].total > scores[ALIEN].total
    assert scores[TRON].prominence == 0


def test_empty_catalogue_has_no_candidates():
    empty = Candidates({}, heats={}, rating_counts={}, year=2000)
    assert empty.best({"Crime": GenreAffinity(1.0)}, without=[ALIEN], limit=10) == []


def test_heat_outranks_popularity_in_trend():
    result = trend_scores(
        KNOWN, heats={HEAT: 4.0, TRON: 2.0}, rating_counts={TRON: 100, ALIEN: 9}, year=2000
    )
    assert (result[HEAT].heat, result[TRON].heat) == (1.0, 0.5)
    assert result[TRON].popularity == 0.5
    assert result[ALIEN].popularity == pytest.approx(0.5 * 0.5, abs=0.01)
    assert result[AMELIE].heat == result[AMELIE].popularity == 0 < result[AMELIE].recency


def test_genre_shares_add_up_and_follow_ratings():
    rated = genre_shares(KNOWN, {HEAT: 100})
    assert sum(rated.values()) == pytest.approx(1)
    assert max(rated, key=rated.__getitem__) == "Crime"


def test_small_trend_moves_are_not_material():
    def trends(**heats):
        return trend_scores(
            KNOWN, heats=dict(zip(KNOWN, heats.values(), strict=False)), rating_counts={}, year=2000
        )

    assert not is_material_change(trends(a=100, b=50), trends(a=100, b=50))
    assert not is_material_change(trends(a=100, b=50), trends(a=100, b=51))
    assert is_material_change(trends(a=100, b=50), trends(a=50, b=100))
    assert is_material_change({}, trends(a=1))
