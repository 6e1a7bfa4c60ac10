"""How are the states of two generations compared without having both in memory?

Every element (a field of a hash, a member of a set, a text) has a digest of its own; those of a
bucket of keys are added up, so that order does not matter and a sum can be made page by page. Only
the buckets that differ are read again, to say what it is that differs.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import TypeAlias
from zlib import crc32

from projectors.verification.fold import Hash, RedisSet, SortedSet, Value

BUCKETS = 256
_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)

Digest: TypeAlias = Mapping[int, int]
"""Bucket -> sum of the digests of what is in it; empty ones are left out."""


def bucket_of(name: str) -> int:
    """In which bucket a key is; ``name`` is what it is called in every generation."""
    return crc32(name.encode()) % BUCKETS


def digest(values: Iterable[tuple[str, Value]]) -> Digest:
    """The digest of some keys, by their names, and what they hold."""
    sums: dict[int, int] = {}
    for name, value in values:
        bucket = bucket_of(name)
        total = sum(_element(name, element) for element in _elements(value))
        sums[bucket] = (sums.get(bucket, 0) + total) % _MODULUS
    return {bucket: total for bucket, total in sums.items() if total}


def unequal(one: Digest, other: Digest) -> frozenset[int]:
    """The buckets that differ."""
    return frozenset(
        bucket for bucket in one.keys() | other.keys() if one.get(bucket) != other.get(bucket)
    )


def _element(name: str, element: bytes) -> int:
    return int.from_bytes(blake2b(element, digest_size=_BYTES, key=name.encode()[-64:]).digest())


def _elements(value: Value) -> Iterator[bytes]:
    """What a value consists of; two elements never look alike."""
    match value:
        case Hash():
            for field, held in value.items():
                yield b"h%d:%b%b" % (len(field), field, held)
        case SortedSet():
            for member, rank in value.items():
                yield b"z%d:%b%b" % (len(member), member, repr(rank).encode())
        case RedisSet():
            for member in value:
                yield b"s" + member
        case bytes():
            yield b"t" + value
