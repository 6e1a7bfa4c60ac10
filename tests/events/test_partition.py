"""Partitioning: an owner's partition never changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.recorded import partition_of


@pytest.mark.parametrize(
    ("owner", "partition"),
    [
        ("7b0f6b52-6d2c-4f6e-9e0b-0c8a4f3c9a10", 23),
        ("25", 51),
        ("trending", 56),
    ],
)
def test_partition_of_an_owner_never_changes(owner, partition):
    assert partition_of(owner, 64) == partition


@given(st.text(), st.integers(1, 1024))
def test_partition_is_within_the_number_of_partitions(owner, partitions):
    assert 0 <= partition_of(owner, partitions) < partitions


def test_owners_are_spread_evenly():
    counts = [0] * 64
    for owner in range(64_000):
        counts[partition_of(str(owner), 64)] += 1
    assert min(counts) > 800
    assert max(counts) < 1200
