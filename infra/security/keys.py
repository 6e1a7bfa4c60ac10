"""Keys of the platform: secrets, and key pairs of access tokens, with their rotation.

    KEYS_DIR/shared/position.key          signs positions and cursors: both APIs
    KEYS_DIR/shared/public/KID.pem        verify access tokens: both APIs
    KEYS_DIR/command/private/KID.pem      sign access tokens
    KEYS_DIR/command/pepper.key           names in the vault
    KEYS_DIR/command/idempotency.key      digests of commands

The query API gets ``shared`` only. A KID begins with the time it was made, so the last in order of
name is the one that signs.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import sleep
from typing import Any, Literal, NamedTuple, TypeAlias

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from infra.config import BadConfig, config

SecretName: TypeAlias = Literal[
    "shared/position.key", "command/pepper.key", "command/idempotency.key"
]
POSITION: SecretName = "shared/position.key"
PEPPER: SecretName = "command/pepper.key"
IDEMPOTENCY: SecretName = "command/idempotency.key"

_TIME = "%Y%m%dT%H%M%S%f"
_SECRET_BYTES = 32
_RSA_BITS = 2048
# Longer than verifiers take to read new keys (infra.security.access_tokens).
_PUBLISH_SECONDS = 2.0


class KeysMissing(Exception):
    """A key is missing; the message says how to make it."""


@cache
def secret(name: SecretName) -> bytes:
    """A secret of the platform; raises KeysMissing."""
    path = config().keys_dir / name
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeysMissing(f"{path} is missing: run ./manage.py keys create") from error


def public_dir(root: Path) -> Path:
    """The directory of the public keys."""
    return root / "shared" / "public"


def private_dir(root: Path) -> Path:
    """The directory of the private keys."""
    return root / "command" / "private"


def kids(directory: Path) -> list[str]:
    """The ids of a directory's keys, oldest first."""
    return sorted(path.stem for path in directory.glob("*.pem"))


def made_at(kid: str) -> datetime:
    """When a key was made."""
    return datetime.strptime(kid.partition("-")[0], _TIME).replace(tzinfo=UTC)


def read_jwks(text: str) -> dict[str, RSAPublicKey]:
    """Id -> key of a JSON Web Key Set (RFC 7517); raises BadConfig."""
    if not text:
        return {}
    try:
        return {key["kid"]: _of_jwk(key) for key in json.loads(text)["keys"]}
    except (ValueError, TypeError, LookupError, InvalidKeyError) as error:
        raise BadConfig(
            f"MARQUEE_PUBLIC_JWKS is not a JSON Web Key Set of public RSA keys: {error!r}"
        ) from error


def _of_jwk(jwk: dict[str, Any]) -> RSAPublicKey:
    key = RSAAlgorithm.from_jwk(jwk)
    if not isinstance(key, RSAPublicKey):
        raise InvalidKeyError("it is a private key")
    return key


def create(root: Path) -> list[Path]:
    """Make the missing keys, each file atomically; the new files. Existing ones stay."""
    with _lock(root):
        names: tuple[SecretName, ...] = (POSITION, PEPPER, IDEMPOTENCY)
        made = [root / name for name in names if not (root / name).exists()]
        for path in made:
            _write(path, secrets.token_bytes(_SECRET_BYTES), mode=0o600)
        if not kids(private_dir(root)):
            made += _make_pair(root, publish_seconds=0)
        return made


def rotate(root: Path, *, publish_seconds: float = _PUBLISH_SECONDS) -> list[Path]:
    """Sign with a new key from now on; tokens signed with the key before it stay valid."""
    with _lock(root):
        before = kids(private_dir(root))
        made = _make_pair(root, publish_seconds=publish_seconds)
        for kid in before:
            (private_dir(root) / f"{kid}.pem").unlink()
        for kid in set(kids(public_dir(root))) - {made[0].stem, *before}:
            (public_dir(root) / f"{kid}.pem").unlink()
        return made


class Pair(NamedTuple):
    """A key pair as PEM."""

    private: bytes
    public: bytes


def make_pair() -> Pair:
    """A new key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return Pair(
        private=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        public=key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


def _make_pair(root: Path, *, publish_seconds: float) -> list[Path]:
    """Publish the public key first: verifiers must have it before the first token."""
    kid = f"{datetime.now(UTC):{_TIME}}-{secrets.token_hex(3)}"
    pair = make_pair()
    public, private = public_dir(root) / f"{kid}.pem", private_dir(root) / f"{kid}.pem"
    _write(public, pair.public, mode=0o644)
    sleep(publish_seconds)
    _write(private, pair.private, mode=0o600)
    return [public, private]


def _write(path: Path, content: bytes, *, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Lock the directory between processes; the lock ends with its process."""
    for folder in (public_dir(root), private_dir(root)):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "command").chmod(0o700)
    with (root / "command" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
