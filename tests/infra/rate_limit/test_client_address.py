"""Client address: trusted proxies and forged headers."""

import msgspec
import pytest

from infra.config import BadConfig, config, read
from infra.rate_limit import client_address
from infra.rate_limit.client_address import address

OURS = "10.0.0.0/8, 192.0.2.7, fd00::/8"


@pytest.fixture
def trust(monkeypatch):
    def trust(proxies, **more):
        changed = msgspec.structs.replace(config(), trusted_proxies=proxies, **more)
        monkeypatch.setattr(client_address, "config", lambda: changed)

    return trust


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        # No trusted proxy, or the peer is not one: the peer's address.
        ("", "10.0.0.1", "9.9.9.9", "10.0.0.1"),
        (OURS, "8.8.8.8", "9.9.9.9", "8.8.8.8"),
        # The rightmost untrusted address; those left of it were written by the client.
        (OURS, "10.0.0.1", "9.9.9.9", "9.9.9.9"),
        (OURS, "10.0.0.1", "1.1.1.1, 9.9.9.9", "9.9.9.9"),
        (OURS, "10.0.0.1", "1.1.1.1, 9.9.9.9, 10.9.9.9", "9.9.9.9"),
        (OURS, "10.0.0.1", "1.1.1.1,9.9.9.9,192.0.2.7,10.0.0.2", "9.9.9.9"),
        (OURS, "10.0.0.1", "10.0.0.9, 9.9.9.9", "9.9.9.9"),
        (OURS, "fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (OURS, "::ffff:10.0.0.1", "9.9.9.9", "9.9.9.9"),
        # With ports, as some proxies write them.
        (OURS, "10.0.0.1", "9.9.9.9:4711", "9.9.9.9"),
        (OURS, "10.0.0.1", "[2001:db8:1:2::9]:4711", "2001:db8:1:2::"),
        # Trusted addresses only: the leftmost.
        (OURS, "10.0.0.1", "", "10.0.0.1"),
        (OURS, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        # An invalid address ends the search.
        (OURS, "10.0.0.1", "9.9.9.9, nonsense", "unknown"),
        (OURS, "10.0.0.1", "nonsense, 9.9.9.9", "9.9.9.9"),
        (OURS, "10.0.0.1", "9.9.9.9, ", "unknown"),
        (OURS, "", "9.9.9.9", "unknown"),
    ],
)
def test_forwarded_header_counts_from_trusted_proxy_only(trust, proxies, peer, forwarded, expected):
    trust(proxies)
    assert address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}) == expected


def test_forwarded_header_name_is_configurable(trust):
    trust(OURS, forwarded_header="Forwardedfor")
    headers = {"HTTP_FORWARDEDFOR": "9.9.9.9", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}
    assert address({"REMOTE_ADDR": "10.0.0.1", **headers}) == "9.9.9.9"
    assert address({"REMOTE_ADDR": "8.8.8.8", **headers}) == "8.8.8.8"


@pytest.mark.parametrize("name", ["", "X_Forwarded_For", "X-Forwarded-For:"])
def test_invalid_forwarded_header_setting_stops_the_process(name):
    with pytest.raises(BadConfig, match="FORWARDED_HEADER"):
        read({"MARQUEE_FORWARDED_HEADER": name})


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("", "unknown"),
    ],
)
def test_ipv6_client_counts_by_its_64_network(client, expected):
    assert address({"REMOTE_ADDR": client}) == expected


@pytest.mark.parametrize("listed", ["1", "proxy.example.org", "10.0.0.1/8", "10.0.0.0/8;::1"])
def test_invalid_proxy_network_setting_stops_the_process(listed):
    with pytest.raises(BadConfig, match="TRUSTED_PROXIES"):
        read({"MARQUEE_TRUSTED_PROXIES": listed})
