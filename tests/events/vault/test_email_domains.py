"""Normal form of e-mail addresses: the domain in ASCII, the rest as it is."""

import pytest

from events.vault.email_domains import normal_address, unicode_address


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("Eve.Doe@b\u00fccher.example", "Eve.Doe@xn--bcher-kva.example"),
        ("eve@CAFE\u0301.example", "eve@xn--caf-dma.example"),
        ("eve@XN--BCHER-KVA.example", "eve@xn--bcher-kva.example"),
        ("eve@fa\u00df.de", "eve@xn--fa-hia.de"),
        ("eve@fa\u00df.i\u2764.ws", "eve@xn--fa-hia.xn--i-7iq.ws"),  # each label by its own rule
        ("eve@xn--fa-hia.i\u2764\ufe0f.ws", "eve@xn--fa-hia.xn--i-7iq.ws"),
        ("eve@example\u3002org", "eve@example.org"),
        ("eve@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444.", "eve@xn--80a1acny.xn--p1ai."),
        ("Eve@Example.ORG", "Eve@example.org"),
        ("eve@a_b.example", "eve@a_b.example"),  # IDNA forbids these, and they exist
        ("eve@r3---sn-a.example", "eve@r3---sn-a.example"),
        ("eve@[192.0.2.1]", "eve@[192.0.2.1]"),
        ("eve@xn--a.example", "eve@xn--a.example"),
        ("no address", "no address"),
        ("eve@", "eve@"),
        ("eve@" + "\u00fc" * 70, "eve@" + "\u00fc" * 70),
    ],
)
def test_domain_is_in_lower_case_ascii(address, normal):
    assert normal_address(address) == normal
    assert normal_address(normal) == normal


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("eve@xn--bcher-kva.example", "eve@b\u00fccher.example"),
        ("Eve@xn--n3h.net", "Eve@\u2603.net"),
        ("eve@Example.org", "eve@example.org"),
    ],
)
def test_domain_as_people_write_it(address, written):
    assert unicode_address(address) == written
