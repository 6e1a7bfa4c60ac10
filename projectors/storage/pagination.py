"""How is a page of a list written down, so that whoever writes it writes the same bytes?

A builder writes the first page ahead of time, a query any other one. A cursor says behind which
value and movie the next page begins; it is signed, and good for one list (``scope``) only.
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
    """A place in a sorted list: what it is sorted by, there, and the movie."""

    value: float
    movie: int


class _Cursor(NamedTuple):
    scope: str
    value: float
    movie: int


_cursor = msgspec.msgpack.Decoder(_Cursor)


def encode_cursor(purpose: str, scope: str, place: CursorPosition) -> str:
    """What continues a list behind a place."""
    return signing.seal(purpose, _pack(_Cursor(scope, place.value, place.movie)))


def decode_cursor(purpose: str, scope: str, token: str) -> CursorPosition:
    """The place that a cursor of this list stands for; raises BadSignature for any other."""
    try:
        found = _cursor.decode(signing.open_(purpose, token))
    except msgspec.DecodeError as error:
        raise BadSignature(purpose) from error
    if found.scope != scope:
        raise BadSignature(purpose)
    return CursorPosition(found.value, found.movie)


def render_item(card: bytes, more: Mapping[str, Any]) -> bytes:
    """A card with some fields behind its own."""
    return merge_objects(card, _encode(more))


def merge_objects(card: bytes, more: bytes) -> bytes:
    """A card with the fields of another object of JSON behind its own; neither is empty."""
    return card[:-1] + b"," + more[1:]


def render_page(
    items: Iterable[bytes], next_: str | None, more: Mapping[str, Any] | None = None
) -> bytes:
    """A page of items that are JSON already."""
    rest = {"next": next_, **(more or {})}
    return b'{"items":[' + b",".join(items) + b"]," + _encode(rest)[1:]
