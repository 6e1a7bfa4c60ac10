"""Who asks?

Access tokens are RS256: the fastest to verify (62 us; ES256 163, EdDSA 207), and the query API
verifies with public keys alone: the algorithm is pinned, issuer, audience and expiry are checked.
The verified ones are remembered until they expire.
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
_REMEMBERED = 10_000
_LOOK_SECONDS = 1.0


class Identity(NamedTuple):
    """Who a valid token speaks for, and which revocations would end it."""

    user_id: UUID
    family: UUID
    epoch: int
    expires: int
    """Unix time."""
    is_staff: bool = False


class KeyRing:
    """The keys of a directory, looked at again at most once a second, and those that are given."""

    def __init__(self, root: Path, *, given: Mapping[str, RSAPublicKey] | None = None) -> None:
        self._root = root
        self._given = given or {}
        self._lock = Lock()
        self._looked = float("-inf")
        self._seen: tuple[list[str], list[str]] = ([], [])
        self._public: Mapping[str, RSAPublicKey] = self._given
        self._private: tuple[str, RSAPrivateKey] | None = None
        self.version = 0
        """Changes with the keys, so that what was verified with a removed one is forgotten."""

    def look(self) -> None:
        """Take in what changed, if the last look is old enough."""
        if monotonic() - self._looked < _LOOK_SECONDS:
            return
        with self._lock:
            seen = kids(public_dir(self._root)), kids(private_dir(self._root))
            if seen != self._seen:
                self._read(*seen)
                self._seen = seen
                self.version += 1
            self._looked = monotonic()

    def public(self, kid: str) -> RSAPublicKey | None:
        """The key that verifies what was signed under an id."""
        self.look()
        return self._public.get(kid)

    def signing(self) -> tuple[str, RSAPrivateKey]:
        """The newest key that signs, and its id."""
        self.look()
        if self._private is None:
            raise KeysMissing(f"{self._root} has no key that signs: run ./manage.py keys create")
        return self._private

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public keys as RFC 7517 has them."""
        self.look()
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
        said = payload | {"iss": self.issuer, "aud": self.audience}
        return jwt.encode(said, key, algorithm=ALGORITHM, headers={"kid": kid})


@cache
def ring() -> KeyRing:
    """The keys of this process."""
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
    """A new access token; raises KeysMissing where the private keys are not."""
    token = _Access()
    token["sub"] = str(user_id)
    token["fam"] = str(family)
    token["epo"] = epoch
    if is_staff:
        token["staff"] = True
    return str(token)


def verify(token: str) -> Identity:
    """Who the token speaks for; raises Unauthenticated. Revocations are the caller's to compare."""
    ring().look()
    identity = _verified(token, ring().version)
    if identity.expires <= time():
        raise Unauthenticated("The access token has expired.")
    return identity


def bearer(authorization: str) -> Identity:
    """The same out of an Authorization header."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Authorization must be: Bearer, and an access token.")
    return verify(token.strip())


@lru_cache(maxsize=_REMEMBERED)
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
