"""Hosts that are given by their addresses, and networks of these."""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def is_ip_address(host: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, without brackets, zone or port."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def find_address(host: str) -> Address | None:
    """
    Return the address of a host; that of IPv4 if it is one within IPv6.

    :param host: without brackets or port; a zone is left out.
    :returns: None if it is not an address.
    """
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def parse_networks(text: str) -> tuple[Network, ...]:
    """
    Return the networks in a list that is separated by commas; an address is one, too.

    :raises ValueError: one is none; the message begins with it.
    """
    found = []
    for each in filter(None, map(str.strip, text.split(","))):
        try:
            network = ipaddress.ip_network(each, strict=False)
        except ValueError:
            raise ValueError(f'"{each}" is neither') from None
        if "/" in each and find_address(each.partition("/")[0]) != network[0]:
            raise ValueError(f'the network of "{each}" is {network}')
        if network.prefixlen == 0:
            raise ValueError(f'"{each}" has all addresses')
        found.append(network)
    return tuple(found)
