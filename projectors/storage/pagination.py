"""Keyset pagination: signed cursors and the JSON of a page.

A builder renders the first page ahead of time, a query any other one, with the same bytes. A cursor
is the sort value and the movie that the next page starts after; it is signed, and valid for one
list (``scope``) only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from infra.security import signing
from infra.security.signing import BadSignature

DEFAULT_LIMIT = 20

_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


class CursorPosition(NamedTuple):
    """A position in a sorted list: the sort value and the movie."""

    value: float
    movie: int


_cursor = msgspec.msgpack.Decoder(tuple[str, float, int])


def encode_cursor(purpose: str, scope: str, position: CursorPosition) -> str:
    """Encode the cursor of the page after a position."""
    return signing.seal(purpose, _pack((scope, *position)))


def decode_cursor(purpose: str, scope: str, token: str) -> CursorPosition:
    """Decode a cursor of this list; raises BadSignature for any other."""
    try:
        scope_of_token, value, movie = _cursor.decode(signing.open_(purpose, token))
    except msgspec.DecodeError as error:
        raise BadSignature(purpose) from error
    if scope_of_token != scope:
        raise BadSignature(purpose)
    return CursorPosition(value, movie)


def render_item(card: bytes, more: Mapping[str, Any]) -> bytes:
    """Add fields to the JSON of a card."""
    return merge_objects(card, _encode(more))


def merge_objects(card: bytes, more: bytes) -> bytes:
    """Merge two JSON objects, neither of them empty."""
    return card[:-1] + b"," + more[1:]


def render_page(
    items: Iterable[bytes], next_: str | None, more: Mapping[str, Any] | None = None
) -> bytes:
    """Render a page of items that are JSON already."""
    rest = {"next": next_, **(more or {})}
    return b'{"items":[' + b",".join(items) + b"]," + _encode(rest)[1:]
