"""Playlist ids: partition of the owner, and refusal of other text."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.playlist_ids import RANDOM_BYTES, InvalidPlaylistId, partition_of_playlist, playlist_id
from events.recorded import partition_of


@given(st.uuids(version=4), st.integers(1, 1024), st.binary(min_size=10, max_size=10))
def test_playlist_id_carries_its_owners_partition(owner, partitions, random):
    id_ = playlist_id(str(owner), partitions, random)
    assert partition_of_playlist(id_) == partition_of(str(owner), partitions)
    assert id_.endswith(random.hex())


def test_playlist_ids_of_an_owner_differ():
    owner = str(uuid4())
    ids = {playlist_id(owner, 64, bytes([nth] * RANDOM_BYTES)) for nth in range(100)}
    assert len(ids) == 100


@pytest.mark.parametrize(
    "garbage", ["", "x", "0" * 22, "0" * 24, "g" * 23, "A" * 23, "0" * 22 + "\n", "٣" * 23]
)
def test_text_that_is_not_a_playlist_id_is_refused(garbage):
    with pytest.raises(InvalidPlaylistId):
        partition_of_playlist(garbage)
