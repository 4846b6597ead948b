"""
Accepts a limited number of connections in one reactor iteration.

Twisted accepts 20 more at a stretch each time that there were enough, without a limit:
9,000 peers that connect together would stop the others for 70 ms and more.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from zope.interface import implementer

#: Connections; Twisted adds 20 once. One takes some 100 us.
AT_ONCE = 40


@implementer(IProtocolFactory)
class PacedAccepts:
    """
    The factory of a port that accepts too many connections in one iteration otherwise.

    :param port: a TCP port of Twisted; this takes the place of its factory.
    """

    def __init__(self, port: Any) -> None:
        self._port = port
        self._factory: IProtocolFactory = port.factory
        port.factory = self
        port.numberAccepts = AT_ONCE

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """Return the protocol of one client; None refuses it."""
        # How many are accepted is seen by this alone, as refused ones count too.
        if self._port.numberAccepts > AT_ONCE:
            self._port.numberAccepts = AT_ONCE
        return self._factory.buildProtocol(addr)

    def doStart(self) -> None:
        """The port is opened."""
        self._factory.doStart()

    def doStop(self) -> None:
        """The port is closed."""
        self._factory.doStop()


def accept_in_turn(port: Any) -> None:
    """
    Limit how many connections a port accepts in one iteration.

    :param port: of Twisted; one that does not accept several is left as it is.
    """
    if hasattr(port, "numberAccepts"):
        PacedAccepts(port)
