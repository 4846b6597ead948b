"""
How often one may send a wrong token.

Attempts are counted for each address, so that nobody locks out others. Whoever has many
addresses is stopped by a limit for all together, which does not concern those from whom
the right token came lately. This machine is never stopped: whoever sits there can sign
in whatever others do, and could read the file of the token anyway.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address
from typing import Any

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.console.errors import HttpError

#: Wrong tokens of an address, and of all strangers, in a minute.
MOST_OF_ONE, MOST_OF_STRANGERS = 5, 50
#: Addresses whose wrong tokens are counted one by one, and addresses that are known.
MOST_ADDRESSES = 1024
_MINUTE = 60.0


class Attempts:
    """
    Counts wrong tokens; after too many, further ones are refused without a look.

    :param known_time: seconds for which an address from which the right token came is
        no stranger.
    """

    def __init__(self, clock: IReactorTime, known_time: float) -> None:
        self._clock = clock
        self._known_time = known_time
        # By address: the start of its minute, and how many since then; the one whose
        # wrong token is the oldest first. At most MOST_ADDRESSES.
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._of_strangers = (0.0, 0)
        # By address: when the right token came last. At most MOST_ADDRESSES.
        self._known: OrderedDict[str, float] = OrderedDict()

    def check(self, host: str) -> None:
        """Refuse an address after too many. :raises HttpError: until then."""
        who = counted_as(host)
        if who is None:
            return
        began, count = self._current(self._wrong.get(who, (0.0, 0)))
        if count < MOST_OF_ONE and not self._is_known(who):
            began, count = self._current(self._of_strangers)
            count -= MOST_OF_STRANGERS - MOST_OF_ONE
        if count >= MOST_OF_ONE:
            wait = int(began + _MINUTE - self._clock.seconds()) + 1
            raise HttpError(
                429,
                f"wrong tokens came too often; try again in {wait} s",
                retry_after=str(wait),
            )

    def wrong(self, host: str) -> None:
        """Count a wrong token."""
        who = counted_as(host)
        if who is None:
            return
        now = self._clock.seconds()
        began, count = self._current(self._wrong.pop(who, (now, 0)))
        self._wrong[who] = (began or now, count + 1)
        _shorten(self._wrong)
        if not self._is_known(who):
            began, count = self._current(self._of_strangers)
            self._of_strangers = (began or now, count + 1)

    def right(self, host: str) -> None:
        """The right token came: this is no stranger for a while."""
        who = counted_as(host)
        if who is not None:
            self._known[who] = self._clock.seconds()
            self._known.move_to_end(who)
            _shorten(self._known)

    def _is_known(self, who: str) -> bool:
        """Whether the right token came from there lately."""
        at = self._known.get(who)
        return at is not None and self._clock.seconds() < at + self._known_time

    def _current(self, counted: tuple[float, int]) -> tuple[float, int]:
        """Return a count; nothing of it after a minute."""
        began, _ = counted
        return counted if self._clock.seconds() < began + _MINUTE else (0.0, 0)


def counted_as(host: str) -> str | None:
    """
    Return under which name the attempts of an address are counted.

    :returns: of IPv6 the network, for a host may have any address in it; None for this
        machine, and whoever connects by a file.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None if host == "local" else host[:64]
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            network = int(address) >> 64
            return None if address.is_loopback else f"{network:x}/64"
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def _shorten(table: OrderedDict[str, Any]) -> None:
    """Remove the oldest entries that are too many."""
    while len(table) > MOST_ADDRESSES:
        table.popitem(last=False)
