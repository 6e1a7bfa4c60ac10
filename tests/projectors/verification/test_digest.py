"""Do two states have one digest exactly if they are one state?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projectors.verification.digest import BUCKETS, bucket_of, digest, unequal
from projectors.verification.fold import Hash, RedisSet, SortedSet

TEXT = st.binary(max_size=6)
VALUES = (
    TEXT
    | st.dictionaries(TEXT, TEXT, min_size=1, max_size=4).map(Hash)
    | st.sets(TEXT, min_size=1, max_size=4).map(RedisSet)
    | st.dictionaries(TEXT, st.integers(-5, 5).map(float), min_size=1, max_size=4).map(SortedSet)
)
STATES = st.dictionaries(st.text(max_size=5), VALUES, max_size=6)


@given(state=STATES, data=st.data())
def test_order_does_not_matter(state, data):
    items = list(state.items())
    assert digest(items) == digest(data.draw(st.permutations(items)))


@given(one=STATES, other=STATES)
def test_only_equal_states_are_equal(one, other):
    is_same = {k: (type(v), v) for k, v in one.items()} == {
        k: (type(v), v) for k, v in other.items()
    }
    assert (not unequal(digest(one.items()), digest(other.items()))) == is_same


@given(state=STATES.filter(bool), data=st.data())
def test_what_differs_is_in_a_bucket_that_differs(state, data):
    changed = data.draw(st.sampled_from(sorted(state)))
    other = {**state, changed: b"something that is nowhere"}
    assert unequal(digest(state.items()), digest(other.items())) == {bucket_of(changed)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Hash({b"a": b"bc"}), Hash({b"ab": b"c"})),
        (Hash({b"a": b"1"}), SortedSet({b"a": 1.0})),
        (RedisSet({b"a"}), b"a"),
        (RedisSet({b"a", b"b"}), RedisSet({b"a"})),
    ],
)
def test_what_only_looks_alike_differs(one, other):
    assert unequal(digest([("k", one)]), digest([("k", other)]))


def test_every_key_has_one_of_the_buckets():
    assert {bucket_of(str(nth)) for nth in range(5000)} == set(range(BUCKETS))
