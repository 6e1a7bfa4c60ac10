"""Client address: the address a request comes from, behind trusted proxies.

Every proxy appends to X-Forwarded-For (or the header that ``MARQUEE_FORWARDED_HEADER`` names), and
a client may send any value first. So it is read from the right: the first address that is not a
trusted proxy is the client. It is ignored unless a trusted proxy connected.

Servers take ``X_Forwarded_For`` for the same name: a proxy must not let that through.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from infra.config import Network, config, networks

Address: TypeAlias = IPv4Address | IPv6Address

UNKNOWN = "unknown"
"""Clients without an address, over a Unix socket for example; they share one counter."""


def address(meta: Mapping[str, Any]) -> str:
    """The client's IPv4 address, or its IPv6 /64 network. ``meta`` is the WSGI environ."""
    given: str = meta.get("REMOTE_ADDR", "")
    proxies = networks(config().trusted_proxies)
    client = _client(given, meta, proxies) if proxies else _parsed(given)
    if isinstance(client, IPv6Address):
        return str(ip_network((client, 64), strict=False).network_address)
    return UNKNOWN if client is None else str(client)


def _client(peer: str, meta: Mapping[str, Any], proxies: tuple[Network, ...]) -> Address | None:
    """The first hop that is not a trusted proxy; the last hop if all are."""
    name = config().forwarded_header.upper().replace("-", "_")
    forwarded: str = meta.get(f"HTTP_{name}", "")
    hops = [peer, *reversed(forwarded.split(","))] if forwarded else [peer]
    last = None
    for hop in hops:
        last = _parsed(hop)
        if last is None:
            return None  # a proxy of ours did not know it; hops further left may be forged
        if not any(last in network for network in proxies):
            return last
    return last


def _parsed(word: str) -> Address | None:
    word = word.strip()
    if word.startswith("["):  # [2001:db8::1]:4711
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:  # 192.0.2.1:4711
        word = word.partition(":")[0]
    try:
        parsed = ip_address(word)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped or parsed
    return parsed
