"""Access tokens: signed and verified JWTs.

They are RS256, the fastest to verify (62 us; ES256 163, EdDSA 207). The query API verifies with
public keys alone. The algorithm is pinned; issuer, audience and expiry are checked. Verified tokens
are cached until they expire.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from time import monotonic, time
from typing import Any, NamedTuple, cast
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import RSAAlgorithm
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError
from rest_framework_simplejwt.tokens import AccessToken

from infra.config import config
from infra.errors import Unauthenticated
from infra.security.keys import KeysMissing, kids, private_dir, public_dir, read_jwks

ALGORITHM = "RS256"
_CACHED_TOKENS = 10_000
_REFRESH_SECONDS = 1.0


class Identity(NamedTuple):
    """The user of a valid token, and what may revoke it: its family and epoch."""

    user_id: UUID
    family: UUID
    epoch: int
    expires: int
    """Unix time."""
    is_staff: bool = False


class KeyRing:
    """The keys of a directory, which is read again once a second at most, and given ones."""

    def __init__(self, root: Path, *, given: Mapping[str, RSAPublicKey] | None = None) -> None:
        self._root = root
        self._given = given or {}
        self._lock = Lock()
        self._refreshed_at = float("-inf")
        self._ids: tuple[list[str], list[str]] = ([], [])
        self._public: Mapping[str, RSAPublicKey] = self._given
        self._private: tuple[str, RSAPrivateKey] | None = None
        self.version = 0
        """Changes with the keys, so that tokens verified with a removed key are verified again."""

    def refresh(self) -> None:
        """Read the directory again if it was read a second ago, and its keys if they changed."""
        if monotonic() - self._refreshed_at < _REFRESH_SECONDS:
            return
        with self._lock:
            ids = kids(public_dir(self._root)), kids(private_dir(self._root))
            if ids != self._ids:
                self._read(*ids)
                self._ids = ids
                self.version += 1
            self._refreshed_at = monotonic()

    def public(self, kid: str) -> RSAPublicKey | None:
        """The public key of an id."""
        self.refresh()
        return self._public.get(kid)

    def signing(self) -> tuple[str, RSAPrivateKey]:
        """The newest private key and its id; raises KeysMissing."""
        self.refresh()
        if self._private is None:
            raise KeysMissing(f"{self._root} has no private key: run ./manage.py keys create")
        return self._private

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys as a JSON Web Key Set (RFC 7517)."""
        self.refresh()
        return {
            "keys": [
                {
                    **RSAAlgorithm.to_jwk(key, as_dict=True),
                    "kid": kid,
                    "alg": ALGORITHM,
                    "use": "sig",
                }
                for kid, key in self._public.items()
            ]
        }

    def _read(self, public: list[str], private: list[str]) -> None:
        self._public = {**self._given} | {
            kid: cast(
                "RSAPublicKey",  # we make no other
                load_pem_public_key((public_dir(self._root) / f"{kid}.pem").read_bytes()),
            )
            for kid in public
        }
        if private:
            pem = (private_dir(self._root) / f"{private[-1]}.pem").read_bytes()
            self._private = (
                private[-1],
                cast("RSAPrivateKey", load_pem_private_key(pem, password=None)),
            )


class KidBackend(TokenBackend):
    """Signs with the newest key and verifies with the one that a token's ``kid`` names."""

    def __init__(self, ring: KeyRing) -> None:
        super().__init__(ALGORITHM, issuer=config().issuer, audience=config().audience)
        self.ring = ring

    def get_verifying_key(self, token: Any) -> RSAPublicKey:
        try:
            kid = jwt.get_unverified_header(token).get("kid", "")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        key = self.ring.public(kid)
        if key is None:
            raise TokenBackendError("Token is invalid")
        return key

    def encode(self, payload: dict[str, Any]) -> str:
        kid, key = self.ring.signing()
        claims = payload | {"iss": self.issuer, "aud": self.audience}
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


@cache
def ring() -> KeyRing:
    """The key ring of this process."""
    return KeyRing(config().keys_dir, given=read_jwks(config().public_jwks))


@cache
def _backend() -> KidBackend:
    return KidBackend(ring())


class _Access(AccessToken):
    lifetime = timedelta(minutes=config().access_minutes)

    @property
    def token_backend(self) -> KidBackend:
        return _backend()

    def get_token_backend(self) -> KidBackend:
        return _backend()


def mint_access(user_id: UUID, family: UUID, epoch: int, *, is_staff: bool = False) -> str:
    """A new access token; raises KeysMissing without private keys."""
    token = _Access()
    token["sub"] = str(user_id)
    token["fam"] = str(family)
    token["epo"] = epoch
    if is_staff:
        token["staff"] = True
    return str(token)


def bearer(authorization: str) -> Identity:
    """The identity of an Authorization header; raises Unauthenticated.

    The caller compares revocations.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("The Authorization header must be: Bearer ACCESS_TOKEN.")
    ring().refresh()
    identity = _verified(token.strip(), ring().version)
    if identity.expires <= time():
        raise Unauthenticated("The access token has expired.")
    return identity


@lru_cache(maxsize=_CACHED_TOKENS)
def _verified(token: str, version: int) -> Identity:  # noqa: ARG001 - part of what is remembered
    try:
        claims = _Access(cast("Any", token))  # simplejwt says Token where it takes a string
        return Identity(
            user_id=UUID(claims["sub"]),
            family=UUID(claims["fam"]),
            epoch=int(claims["epo"]),
            expires=int(claims["exp"]),
            is_staff=claims.get("staff") is True,
        )
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unauthenticated("The access token is not valid.") from error
