"""Name skeletons: which usernames and addresses count as equal."""

import hmac

import pytest

from events.vault.name_skeletons import email_digest, email_digests, username_digest

PEPPER = b"p" * 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "ANN"),
        ("ann", "\N{FULLWIDTH LATIN SMALL LETTER A}nn"),
        ("strasse", "straße"),
        ("Paul_10", "pauI_lO"),
        ("lilli", "IiIIi"),
        ("modern", "rnodem"),
        ("wilma", "vviIrna"),
    ],
)
def test_look_alike_usernames_have_one_skeleton(one, other):
    assert username_digest(PEPPER, one) == username_digest(PEPPER, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ann", "anne"), ("ann.lee", "annlee"), ("ann-lee", "ann_lee"), ("nora", "mora")],
)
def test_different_usernames_have_different_skeletons(one, other):
    assert username_digest(PEPPER, one) != username_digest(PEPPER, other)


def test_email_skeleton_ignores_case():
    assert email_digest(PEPPER, "Ann@Example.ORG") == email_digest(PEPPER, "ann@example.org")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eve@b\u00fccher.example", "eve@xn--bcher-kva.example"),
        ("eve@b\u00fccher.example", "EVE@XN--BCHER-KVA.EXAMPLE"),
        ("eve@CAFÉ.example", "eve@cafe\u0301.example"),
        ("eve@stra\u00dfe.example", "eve@xn--strae-oqa.example"),
        ("eve@\u4f8b\u3048.jp", "eve@xn--r8jz45g.jp"),
        ("eve@\u2603.net", "eve@xn--n3h.net"),
        ("eve@mail.b\u00fccher.example", "eve@mail.xn--bcher-kva.example"),
        ("eve@xn--bcher-kva.m\u00fcller.example", "eve@b\u00fccher.xn--mller-kva.example"),
    ],
)
def test_spellings_of_a_domain_are_one_address(one, other):
    assert email_digest(PEPPER, one) == email_digest(PEPPER, other)
    assert set(email_digests(PEPPER, one)) & set(email_digests(PEPPER, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eve@b\u00fccher.example", "eve@bucher.example"),
        ("eve@stra\u00dfe.example", "eve@strasse.example"),
        ("eve@b\u00fccher.example", "b\u00fccher@example.org"),
    ],
)
def test_different_domains_are_different_addresses(one, other):
    assert email_digest(PEPPER, one) != email_digest(PEPPER, other)


def test_digests_of_earlier_releases_are_among_those_of_an_address():
    earlier = hmac.digest(PEPPER, "email:eve@b\u00fccher.example".encode(), "sha256")
    for spelling in ("Eve@b\u00fccher.example", "eve@xn--bcher-kva.example"):
        assert earlier in email_digests(PEPPER, spelling)
    assert email_digests(PEPPER, "Ann@Example.org") == [email_digest(PEPPER, "ann@example.org")]


def test_digest_depends_on_kind_and_pepper():
    assert username_digest(PEPPER, "ann") != email_digest(PEPPER, "ann")
    assert username_digest(PEPPER, "ann") != username_digest(b"q" * 32, "ann")
