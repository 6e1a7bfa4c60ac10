"""Which names are the same?"""

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
def test_alike(one, other):
    assert username_digest(PEPPER, one) == username_digest(PEPPER, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ann", "anne"), ("ann.lee", "annlee"), ("ann-lee", "ann_lee"), ("nora", "mora")],
)
def test_different(one, other):
    assert username_digest(PEPPER, one) != username_digest(PEPPER, other)


def test_an_address_has_no_case():
    assert email_digest(PEPPER, "Ann@Example.ORG") == email_digest(PEPPER, "ann@example.org")


def test_a_name_is_no_address_and_no_other_peppers_name():
    assert username_digest(PEPPER, "ann") != email_digest(PEPPER, "ann")
    assert username_digest(PEPPER, "ann") != username_digest(b"q" * 32, "ann")
