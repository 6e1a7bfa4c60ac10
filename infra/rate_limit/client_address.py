"""Where does a request come from?

X-Forwarded-For (or what ``MARQUEE_FORWARDED_HEADER`` names) is a list that every proxy adds to at
its right end, and that a client may begin with whatever it likes. So it is read from the right: the
first address there that is none of our proxies is the client. Unless a proxy of ours connected to
us, it is not read at all.

Servers take ``X_Forwarded_For`` for the same name: a proxy must not let that through.
"""

from collections.abc import Mapping
from ipaddress import (
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
)
from typing import Any, TypeAlias

from infra.config import Network, config, networks

Address: TypeAlias = IPv4Address | IPv6Address

UNKNOWN = "unknown"
"""Who came by a way that names no address; all of them are counted as one."""


def address(meta: Mapping[str, Any]) -> str:
    """The client's: an IPv4 address, or the /64 that one IPv6 customer has.

    ``meta`` is what WSGI says of a request.
    """
    given: str = meta.get("REMOTE_ADDR", "")
    proxies = networks(config().trusted_proxies)
    if not proxies:
        return _counted(_parsed(given))
    name = config().forwarded_header.upper().replace("-", "_")
    forwarded: str = meta.get(f"HTTP_{name}", "")
    hops = [given, *reversed(forwarded.split(","))] if forwarded else [given]
    return _counted(_client(hops, proxies))


def _client(hops: list[str], proxies: tuple[Network, ...]) -> Address | None:
    """The first that is none of ours; if all are, the one that began."""
    last = None
    for hop in hops:
        found = _parsed(hop)
        if found is None:
            return None  # what a proxy of ours could not name is not looked past
        last = found
        if not any(found in network for network in proxies):
            return found
    return last


def _parsed(word: str) -> Address | None:
    word = word.strip()
    if word.startswith("["):  # [2001:db8::1]:4711
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:  # 192.0.2.1:4711
        word = word.partition(":")[0]
    try:
        found = ip_address(word)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped or found
    return found


def _counted(found: Address | None) -> str:
    if found is None:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False).network_address)
    return str(found)
