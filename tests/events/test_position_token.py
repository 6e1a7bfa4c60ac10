"""Position tokens: round trip, joining and refusal of forged ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.position_token import decode_positions, encode_position
from events.recorded import Position
from infra.errors import Invalid
from infra.security.signing import seal
from tests.fixtures.position_header import encode_positions

pytestmark = pytest.mark.usefixtures("keys")

positions = st.builds(Position, st.integers(0, 1023), st.integers(1, 2**63 - 1))


@given(st.dictionaries(st.integers(0, 1023), positions, min_size=1, max_size=16))
def test_positions_survive_a_round_trip(chosen):
    positions = [Position(partition, offset) for partition, (_, offset) in chosen.items()]
    assert decode_positions(encode_positions(positions)) == tuple(sorted(positions))


def test_tokens_of_several_responses_can_be_joined_with_commas():
    assert decode_positions(
        f"{encode_position(Position(3, 9))} , {encode_position(Position(1, 1))}"
    ) == ((3, 9), (1, 1))


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "3:9",
        "é",
        "AAMAAAAAAAAACTdMz-3cHAdMbXU_3_u59Ug",
        ",".join(["x"] * 17),
    ],
)
def test_invalid_position_token_is_refused_with_the_header_name(header):
    with pytest.raises(Invalid) as refusal:
        decode_positions(header)
    assert [error.field for error in refusal.value.errors] == ["Log-Position"]


def test_token_signed_for_another_purpose_is_refused():
    with pytest.raises(Invalid):
        decode_positions(seal("cursor", bytes(10)))
