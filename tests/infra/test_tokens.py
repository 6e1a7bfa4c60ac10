"""Is a token believed exactly as long as it should be?"""

from time import time
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from infra import tokens
from infra.keys import KeysMissing, create, kids, make_pair, private_dir, public_dir, rotate
from infra.refused import Unauthenticated
from infra.tokens import KeyRing, bearer, mint_access, verify

pytestmark = pytest.mark.usefixtures("keys")

ANN, FAMILY = UUID(int=1), UUID(int=2)


def claims(**changed):
    now = int(time())
    return {
        "sub": str(ANN),
        "fam": str(FAMILY),
        "epo": 3,
        "typ": "access",
        "jti": "1",
        "iat": now,
        "exp": now + 60,
    } | changed


def signed(keys, algorithm="RS256", **changed):
    [kid] = kids(private_dir(keys))
    pem = (private_dir(keys) / f"{kid}.pem").read_bytes()
    return jwt.encode(claims(**changed), pem, algorithm=algorithm, headers={"kid": kid})


def test_says_who_asks():
    identity = verify(mint_access(ANN, FAMILY, 3))
    assert identity[:3] == (ANN, FAMILY, 3)
    assert identity.expires > time()
    assert bearer(f"bearer {mint_access(ANN, FAMILY, 4)}").epoch == 4


def test_a_token_that_is_signed_elsewhere_is_checked_alike(keys):
    assert verify(signed(keys)).user_id == ANN


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time()) - 1},
        {"exp": None},
        {"typ": "refresh"},
        {"typ": None},
        {"sub": "ann"},
        {"sub": None},
        {"epo": None},
        {"fam": "x"},
        {"jti": None},
    ],
    ids=str,
)
def test_what_is_wrong_in_a_signed_token(keys, changed):
    complete = {name: value for name, value in claims(**changed).items() if value is not None}
    [kid] = kids(private_dir(keys))
    pem = (private_dir(keys) / f"{kid}.pem").read_bytes()
    with pytest.raises(Unauthenticated):
        verify(jwt.encode(complete, pem, algorithm="RS256", headers={"kid": kid}))


def test_a_remembered_token_expires_all_the_same(keys, monkeypatch):
    token = signed(keys)
    assert verify(token)
    monkeypatch.setattr(tokens, "time", lambda: time() + 61)
    with pytest.raises(Unauthenticated, match="expired"):
        verify(token)


@pytest.mark.parametrize("word", ["", "x", "a.b.c", "..", "é.é.é"])
def test_what_is_no_token(word):
    with pytest.raises(Unauthenticated):
        verify(word)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi"])
def test_what_is_no_bearer(header):
    with pytest.raises(Unauthenticated):
        bearer(header)


def test_another_key_under_a_known_id(keys):
    [kid] = kids(private_dir(keys))
    token = jwt.encode(claims(), make_pair().private, algorithm="RS256", headers={"kid": kid})
    with pytest.raises(Unauthenticated):
        verify(token)


def test_an_unknown_id(keys):
    token = jwt.encode(claims(), make_pair().private, algorithm="RS256", headers={"kid": "other"})
    with pytest.raises(Unauthenticated):
        verify(token)


def test_the_public_key_is_no_password(keys):
    """The oldest trick: an HMAC with what everybody may know."""
    [kid] = kids(public_dir(keys))
    pem = (public_dir(keys) / f"{kid}.pem").read_bytes()
    # PyJWT itself refuses to make it, so it is signed by hand.
    head, body, _ = jwt.encode(claims(), "x" * 32, headers={"kid": kid}).split(".")
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{head}.{body}".encode(), pem
    )
    forged = f"{head}.{body}.{jwt.utils.base64url_encode(mac).decode()}"
    with pytest.raises(Unauthenticated):
        verify(forged)


def test_no_algorithm_at_all(keys):
    [kid] = kids(public_dir(keys))
    with pytest.raises(Unauthenticated):
        verify(jwt.encode(claims(), "", algorithm="none", headers={"kid": kid}))


class Eager(KeyRing):
    """Looks at every question, so that no test has to wait for a second."""

    def look(self):
        self._looked = float("-inf")
        super().look()


def test_new_keys_are_found_and_old_ones_forgotten(tmp_path):
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


def test_where_nothing_signs_nothing_is_minted(tmp_path):
    with pytest.raises(KeysMissing, match="keys create"):
        KeyRing(tmp_path).signing()


def test_the_published_set_verifies(keys):
    [published] = tokens.ring().jwks()["keys"]
    [kid] = kids(public_dir(keys))
    assert (published["kid"], published["alg"], published["use"]) == (kid, "RS256", "sig")
    key = jwt.PyJWK(published).key
    assert key == load_pem_public_key((public_dir(keys) / f"{kid}.pem").read_bytes())
    assert jwt.decode(mint_access(uuid4(), FAMILY, 0), key, algorithms=["RS256"])["epo"] == 0
