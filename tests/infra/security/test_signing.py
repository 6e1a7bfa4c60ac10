"""Signed tokens: round trip, purpose and tampering."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.security.signing import BadSignature, open_, seal

pytestmark = pytest.mark.usefixtures("keys")


@given(st.binary(max_size=80))
def test_signed_payload_opens(payload):
    assert open_("cursor", seal("cursor", payload)) == payload


def test_token_of_another_purpose_is_refused():
    with pytest.raises(BadSignature):
        open_("position", seal("cursor", b"1"))


@given(st.binary(min_size=1, max_size=20), st.data())
def test_changed_bit_is_refused(payload, data):
    token = bytearray(seal("cursor", payload).encode())
    index = data.draw(st.integers(0, len(token) - 2))  # the last one has spare bits
    token[index] = ord("A") if token[index] != ord("A") else ord("B")
    with pytest.raises(BadSignature):
        open_("cursor", token.decode())


@given(st.text(max_size=60))
def test_garbage_raises_bad_signature(text):
    with pytest.raises(BadSignature):
        open_("cursor", text)
