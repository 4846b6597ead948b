"""Whether a host is given by its address or by a name."""

from __future__ import annotations

import ipaddress


def is_ip_address(host: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, without brackets, zone or port."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host
