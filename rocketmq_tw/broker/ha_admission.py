"""
Who may copy the commit log, which has all messages of a broker.

The stream of replication has no signatures (:mod:`rocketmq_tw.replication.frames`). But
a slave asks its master over an ordinary connection before it copies anything, and signs
that as the inner user. So the port for slaves is open to the addresses from which that
user has asked a short while ago, and to those that an operator lists.

Slaves of Apache RocketMQ sign as the inner user since 5.3, when they copy the tables of
their master, every 10 s; the first attempt of one may be refused.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.auth.addresses import Address, Matches, parse_address, white_list
from rocketmq_tw.remoting.peer_log import host_of

#: Seconds for which an address counts after a request of the inner user.
WINDOW = 60.0
#: Addresses that are remembered; a broker has a few slaves.
MAX_HOSTS = 256

#: What the log of a master says of a slave that may not copy.
REFUSAL = (
    "it may not copy the log: the user in innerClientAuthenticationCredentials has not"
    " asked from its address, and haAllowedAddresses does not list it"
)


class HaAdmission:
    """
    The addresses of slaves.

    :param allowed: patterns of addresses, as in white lists of ACL 1.0.
    :raises BadPolicy: it is no such pattern.
    :ivar is_trusted: whether requests from an address need no signature.
    :ivar refused: how many slaves were refused.
    """

    def __init__(self, clock: IReactorTime, allowed: str) -> None:
        self._clock = clock
        self._is_listed = white_list(allowed) or _is_never
        self.is_trusted: Matches = _is_never
        self.refused = 0
        #: When the inner user has asked last, the oldest first.
        self._seen: dict[Address, float] = {}

    def inner_user_asked(self, host: str) -> None:
        """Remember from where the inner user has signed a request."""
        address = parse_address(host)
        if address is None:
            return
        self._seen.pop(address, None)
        if len(self._seen) >= MAX_HOSTS:
            del self._seen[next(iter(self._seen))]
        self._seen[address] = self._clock.seconds()

    def why_not(self, peer: str) -> str | None:
        """
        Return why a slave may not copy the log; None if it may.

        :param peer: ``host:port``.
        """
        address = parse_address(host_of(peer))
        if address is not None and self._may_copy(address):
            return None
        self.refused += 1
        return REFUSAL

    def _may_copy(self, address: Address) -> bool:
        if self._is_listed(address) or self.is_trusted(address):
            return True
        seen = self._seen.get(address)
        return seen is not None and self._clock.seconds() - seen <= WINDOW


def _is_never(address: Address) -> bool:
    """Match nothing."""
    return False
