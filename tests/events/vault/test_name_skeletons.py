"""Name skeletons: which usernames and addresses count as equal."""

import pytest

from events.vault.name_skeletons import email_digest, username_digest

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


def test_digest_depends_on_kind_and_pepper():
    assert username_digest(PEPPER, "ann") != email_digest(PEPPER, "ann")
    assert username_digest(PEPPER, "ann") != username_digest(b"q" * 32, "ann")
