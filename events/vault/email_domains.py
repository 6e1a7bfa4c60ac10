"""Normal form of an e-mail address: its domain in lower-case ASCII, as mail servers use it.

An internationalised domain has two spellings, ``bücher.example`` and ``xn--bcher-kva.example``.
Both are one domain, so both are one address. Each label is converted by IDNA 2008, as registries
do; one with symbols, which only IDNA 2003 allows, by that.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from unicodedata import normalize

import idna

_LONGEST = 253
"""Characters of a domain."""


def normal_address(address: str) -> str:
    """The address with its domain in ASCII; the part before the @ stays."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_ascii(_folded(domain))}"


def unicode_address(address: str) -> str:
    """The address with its domain as people write it, in lower case."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{_unicode(_ascii(_folded(domain)))}"


def _folded(domain: str) -> str:
    return normalize("NFKC", domain).lower()


def _ascii(domain: str) -> str:
    if len(domain) > _LONGEST:
        return domain  # it is none, and Punycode takes quadratic time
    if domain.isascii() and "xn--" not in domain:
        return domain  # IDNA forbids some that exist, with an underscore or two hyphens
    return _converted(
        domain.replace("\u3002", "."),
        lambda label: idna.encode(label, uts46=True).decode(),
        lambda label: label.encode("idna").decode().lower(),
    )


def _unicode(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    return _converted(domain, idna.decode, lambda label: label.encode().decode("idna"))


def _converted(domain: str, *conversions: Callable[[str], str]) -> str:
    return ".".join(_converted_label(label, conversions) for label in domain.split("."))


def _converted_label(label: str, conversions: Sequence[Callable[[str], str]]) -> str:
    """The label by the first conversion that accepts it; itself if none does."""
    for convert in conversions:
        with suppress(UnicodeError):
            return convert(label)
    return label
