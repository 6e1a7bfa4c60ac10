"""Similarity formula: bounds, symmetry, shrinkage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projectors.read_models.similarity.formula import PRIOR, WORTH, confidence
from tests.fixtures.similarity_formula import content, jaccard, similarity

genres = st.sets(st.sampled_from(["Drama", "Crime", "Comedy", "Horror", "War"]))
years = st.none() | st.integers(1900, 2030)
shares = st.floats(0, 1)
likes = st.integers(0, 5000)


@given(one=likes, other=likes, share=shares, content=shares)
def test_similarity_is_symmetric_within_zero_and_one(one, other, share, content):
    both = int(share * min(one, other))
    score = similarity(both, one, other, content)
    assert 0 <= score < 1
    assert score == similarity(both, other, one, content)


@given(genres, years, genres, years)
def test_content_is_symmetric_within_zero_and_one(one, year, other, other_year):
    score = content(one, year, other, other_year)
    assert 0 <= score <= 1
    assert score == content(other, other_year, one, year)


@given(content=shares)
def test_similarity_without_likes_is_content(content):
    assert similarity(0, 0, 0, content) == pytest.approx(WORTH * content)
    assert similarity(0, 50, 0, content) == pytest.approx(WORTH * content)


def test_similarity_with_many_likes_is_cosine():
    assert similarity(10_000, 10_000, 10_000, 0) > 0.99
    assert similarity(100, 100, 100, 0) == 100 / (100 + PRIOR)
    assert similarity(0, 10_000, 10_000, 1) < 0.001


@given(one=st.integers(1, 500), other=st.integers(1, 500), content=shares)
def test_common_like_raises_similarity(one, other, content):
    scores = [similarity(both, one, other, content) for both in range(min(one, other) + 1)]
    assert scores == sorted(set(scores))


def test_content_of_sample_movies():
    assert content({"Crime", "Drama"}, 1995, {"Crime", "Drama"}, 1995) == 1
    assert content({"Crime", "Drama"}, 1995, {"Crime"}, 1995) == 0.5
    assert content({"Crime"}, 1995, {"Crime"}, 1980) == pytest.approx(0.368, abs=0.001)
    assert content({"Crime"}, 1995, {"Crime"}, None) == content({"Crime"}, 1995, {"Crime"}, 1980)
    assert content({"Crime"}, 1995, {"Comedy"}, 1995) == jaccard((), ()) == 0


@pytest.mark.parametrize(
    ("support", "word"),
    [(0, "mostly content"), (4, "mostly content"), (5, "some"), (19, "some"), (20, "strong")],
)
def test_confidence_follows_support(support, word):
    assert confidence(support) == word
