"""Access tokens: validity, forgery, expiry and key rotation."""

import json
from time import time
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import RSAAlgorithm

from infra.config import BadConfig
from infra.errors import Unauthenticated
from infra.security import access_tokens
from infra.security.access_tokens import KeyRing, bearer, mint_access
from infra.security.keys import KeysMissing, create, kids, public_dir, read_jwks, rotate
from tests.fixtures.forged_tokens import FORGERIES, ValidToken

pytestmark = pytest.mark.usefixtures("keys")

ANN, FAMILY = UUID(int=1), UUID(int=2)


def verify(token):
    return bearer(f"Bearer {token}")


@pytest.fixture
def signed(keys):
    """Sign tokens with any claims, as ours are signed."""
    return ValidToken(keys, ANN, FAMILY, epoch=3).signed


def test_token_names_its_user():
    identity = verify(mint_access(ANN, FAMILY, 3))
    assert identity[:3] == (ANN, FAMILY, 3)
    assert identity.expires > time()
    assert bearer(f"bearer {mint_access(ANN, FAMILY, 4)}").epoch == 4


def test_only_staff_token_is_staff(signed):
    assert verify(mint_access(ANN, FAMILY, 3, is_staff=True)).is_staff is True
    assert verify(mint_access(ANN, FAMILY, 3)).is_staff is False
    assert [verify(signed(staff=claim)).is_staff for claim in (True, False, "true", 1)] == [
        True,
        False,
        False,
        False,
    ]


def test_token_signed_elsewhere_with_our_key_is_valid(signed):
    assert verify(signed()).user_id == ANN


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "ann"},
        {"sub": None},
        {"epo": None},
        {"fam": "x"},
        {"jti": None},
    ],
    ids=str,
)
def test_signed_token_with_invalid_claims_is_refused(signed, changed):
    with pytest.raises(Unauthenticated):
        verify(signed(**changed))


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forged_tokens_are_refused(keys, forge):
    with pytest.raises(Unauthenticated):
        verify(forge(ValidToken(keys, ANN, FAMILY)))


def test_cached_token_expires(signed, monkeypatch):
    token = signed()
    assert verify(token)
    monkeypatch.setattr(access_tokens, "time", lambda: time() + 601)
    with pytest.raises(Unauthenticated, match="expired"):
        verify(token)


@pytest.mark.parametrize("word", ["", "x", "a.b.c", "..", "é.é.é"])
def test_malformed_token_is_refused(word):
    with pytest.raises(Unauthenticated):
        verify(word)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi"])
def test_malformed_authorization_header_is_refused(header):
    with pytest.raises(Unauthenticated):
        bearer(header)


class Eager(KeyRing):
    """Recheck the key directory at every call, so that no test waits a second."""

    def refresh(self):
        self._refreshed_at = float("-inf")
        super().refresh()


def test_key_ring_takes_new_keys_and_drops_removed_ones(tmp_path):
    create(tmp_path)
    ring = Eager(tmp_path)
    first = ring.signing()[0]
    rotate(tmp_path, publish_seconds=0)
    second = ring.signing()[0]
    assert ring.public(first)
    assert ring.public(second)
    before = ring.version
    rotate(tmp_path, publish_seconds=0)
    assert ring.public(first) is None
    assert ring.version > before


def test_minting_without_private_key_fails(tmp_path):
    with pytest.raises(KeysMissing, match="keys create"):
        KeyRing(tmp_path).signing()


def test_published_jwks_verifies_tokens(keys):
    [published] = access_tokens.ring().jwks()["keys"]
    [kid] = kids(public_dir(keys))
    assert (published["kid"], published["alg"], published["use"]) == (kid, "RS256", "sig")
    key = jwt.PyJWK(published).key
    assert key == load_pem_public_key((public_dir(keys) / f"{kid}.pem").read_bytes())
    token = mint_access(uuid4(), FAMILY, 0)
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer="marquee", audience="marquee")
    assert claims["epo"] == 0


def test_configured_jwks_verifies_without_key_directory(keys, tmp_path):
    jwks = json.dumps(access_tokens.ring().jwks())
    far = KeyRing(tmp_path, given=read_jwks(jwks))
    [kid] = kids(public_dir(keys))
    assert far.public(kid) == access_tokens.ring().public(kid)
    assert far.public("other") is None
    assert far.jwks() == access_tokens.ring().jwks()
    assert read_jwks("") == {}


def test_invalid_jwks_setting_is_refused_at_start(keys):
    private = RSAAlgorithm.to_jwk(access_tokens.ring().signing()[1], as_dict=True) | {"kid": "x"}
    for bad in ("x", "[]", "{}", '{"keys": [{}]}', json.dumps({"keys": [private]})):
        with pytest.raises(BadConfig, match="MARQUEE_PUBLIC_JWKS"):
            read_jwks(bad)
