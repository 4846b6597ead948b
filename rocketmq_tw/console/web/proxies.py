"""
Who sends a request that a proxy passes on.

A proxy adds the address of its client to the header ``X-Forwarded-For``, at its end;
what stands before it came with the request, and anybody can claim it. So the header is
read backwards, as long as what is found there is a proxy that is known::

    X-Forwarded-For: 192.0.2.1, 203.0.113.9, 10.0.0.7      from 127.0.0.1
                     claimed    this counts  known proxy   a proxy here
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rocketmq_tw.model.ip_address import Network, find_address

#: Characters of what a proxy calls its client, if that is no address.
_LONGEST_NAME = 64


class Proxies:
    """
    The proxies whose word is taken: all on this machine, and those that are named.

    :param networks: of those on other machines.
    """

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def asker(self, peer: str, forwarded: Sequence[str]) -> str:
        """
        Return the address of the first who is no proxy, seen from here.

        :param peer: the address of the connection.
        :param forwarded: the headers ``X-Forwarded-For``, in their order.
        :returns: the peer itself if all are proxies.
        """
        if not forwarded or not self._is_known(peer):
            return peer
        for each in reversed(",".join(forwarded).split(",")):
            host = host_of_entry(each)
            if not self._is_known(host):
                return host
        return peer

    def _is_known(self, host: str) -> bool:
        """Whether a proxy may be there; one on this machine may use a file."""
        if host == "local":
            return True
        address = find_address(host)
        if address is None:
            return False
        return address.is_loopback or any(address in each for each in self._networks)


def host_of_entry(entry: str) -> str:
    """
    Return the host in an entry of ``X-Forwarded-For``, without a port.

    :param entry: ``a.b.c.d``, ``a.b.c.d:port``, an address of IPv6 with or without
        brackets and port, or what a proxy says instead, such as ``unknown``.
    """
    text = entry.strip().strip('"')
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    else:
        host = text
    if find_address(host) is not None:
        return host
    # It is not taken for the name of a socket in a file.
    return f"?{host}"[:_LONGEST_NAME] if host else "?"
