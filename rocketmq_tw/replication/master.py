"""
A master: sends its commit log to the slaves that connect to its HA port.

With nothing to send it waits for the next record. While records come it looks for new
ones every 10 ms, so that a transfer holds many of them; where a sender waits for
slaves, it looks at the end of the reactor iteration.

Source: ``DefaultHAService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.application.service import Service
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.replication.peers import PeerLines
from rocketmq_tw.replication.slave_link import LinkSettings, SlaveLink, Source
from rocketmq_tw.replication.status import HaStatus

#: Seconds between two looks for new records, while they come.
_PAUSE = 0.01
#: Seconds between two looks at silent connections.
_TICK = 1.0


class MasterService(Service):
    """
    The slaves of one master.

    :param max_links: how many may be connected (``maxHaConnections``), and how many
        from one address (``maxHaConnectionsPerAddress``).
    :param peers: writes lines about slaves, at a limited rate.
    :param why_not: returns why a slave, as ``host:port``, may not copy the log; None
        lets all.
    :param on_ack: called whenever a slave reports, connects or is lost.
    :ivar links: the connections, in the order in which they were made.
    :ivar refused: how many connections were one too many.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        source: Source,
        clock: IReactorTime,
        settings: LinkSettings,
        max_links: int,
        max_links_per_address: int,
        peers: PeerLines,
        why_not: Callable[[str], str | None] | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._settings = settings
        self._max_links = max_links
        self._max_links_per_address = max_links_per_address
        self._peers = peers
        self._why_not = why_not
        self.factory = SlaveFactory(self._link)
        self.links: list[SlaveLink] = []
        self.refused = 0
        self.on_ack: Callable[[], None] = _nothing
        self._is_armed = False
        self._pumping: IDelayedCall | None = None
        self._ticker = LoopingCall(self._tick)
        self._ticker.clock = clock

    def startService(self) -> None:
        """Look after the connections."""
        super().startService()
        self._ticker.start(_TICK, now=False)

    def stopService(self) -> None:
        """Close all connections."""
        super().stopService()
        if self._ticker.running:
            self._ticker.stop()
        self._disarm()
        for link in list(self.links):
            link.cut()
        self.links.clear()

    @property
    def in_sync(self) -> int:
        """How many slaves lack little."""
        return sum(link.is_in_sync for link in self.links)

    def acked_by(self, count: int) -> int:
        """Return the offset up to which at least ``count`` slaves have the log."""
        acked = sorted((link.acked for link in self.links), reverse=True)
        return acked[count - 1] if len(acked) >= count else -1

    def status(self) -> HaStatus:
        """Return what operators are shown."""
        return HaStatus(
            is_master=True,
            log_end=self._source.end,
            in_sync_slaves=self.in_sync,
            slaves=[link.status() for link in self.links if link.acked >= 0],
        )

    def send_now(self) -> None:
        """Send new records at the end of this reactor iteration."""
        self._pump_in(0)

    def _link(self, address: str) -> SlaveLink | None:
        """Return the protocol of a new connection; None refuses it."""
        if not self.running:
            return None
        excess = self._excess(address)
        if excess is not None:
            self.refused += 1
            self._peers.complain(address, excess)
            return None
        link = SlaveLink(
            source=self._source,
            clock=self._clock,
            settings=self._settings,
            address=address,
            on_report=self._reported,
            on_lost=self._lost,
            peers=self._peers,
            why_not=self._why_not,
        )
        self.links.append(link)
        return link

    def _excess(self, address: str) -> str | None:
        """Return why no more may be connected, if that is so."""
        if len(self.links) >= self._max_links:
            return (
                f"{len(self.links)} slaves are connected, as many as maxHaConnections"
                " lets"
            )
        host = address.rpartition(":")[0]
        count = sum(each.address.rpartition(":")[0] == host for each in self.links)
        if count >= self._max_links_per_address:
            return (
                f"{count} slaves of its address are connected, as many as"
                " maxHaConnectionsPerAddress lets"
            )
        return None

    def _reported(self, link: SlaveLink) -> None:
        """Release those who wait for slaves, and wait for the next record."""
        self._arm()
        self.on_ack()

    def _lost(self, link: SlaveLink) -> None:
        if link not in self.links:
            return
        self.links.remove(link)
        if link.acked >= 0:
            peer = link.address
            self._peers.info(self._log, peer, "slave {peer} is gone", peer=peer)
        if not self._has_followers:
            self._disarm()
        self.on_ack()

    @property
    def _has_followers(self) -> bool:
        return any(link.is_followed for link in self.links)

    def _arm(self) -> None:
        """Wait for the next record, unless records are looked for anyway."""
        if not self._is_armed and self._pumping is None and self._has_followers:
            self._is_armed = True
            self._source.call_at_next(self._record_stored)

    def _disarm(self) -> None:
        """Wait for nothing."""
        if self._is_armed:
            self._source.cancel(self._record_stored)
            self._is_armed = False
        if self._pumping is not None and self._pumping.active():
            self._pumping.cancel()
        self._pumping = None

    def _record_stored(self) -> None:
        """Send the first record behind a pause at the end of this iteration."""
        self._is_armed = False
        self._pump_in(0)

    def _pump_in(self, delay: float) -> None:
        """Send new records after so many seconds, or before."""
        pumping = self._pumping
        if pumping is not None and pumping.active():
            if delay or pumping.getTime() <= self._clock.seconds():
                return
            pumping.cancel()
        self._pumping = self._clock.callLater(delay, self._pump)

    def _pump(self) -> None:
        """Send to all slaves what is new, then look again or wait."""
        self._pumping = None
        end, has_news = self._source.end, False
        for link in list(self.links):
            has_news = has_news or (link.is_followed and link.next < end)
            link.pump()
        if has_news:
            self._pump_in(_PAUSE)
        else:
            self._arm()

    def _tick(self) -> None:
        """Look after each connection."""
        for link in list(self.links):
            try:
                link.tick()
            except Exception:
                self._log.failure("a slave was not looked after")


class SlaveFactory(Factory):
    """
    Makes the protocols of slaves.

    :param make: returns one for ``host:port``; None refuses the connection.
    """

    noisy = False

    def __init__(self, make: Callable[[str], SlaveLink | None]) -> None:
        self._make = make

    def buildProtocol(self, addr: IAddress | None) -> SlaveLink | None:
        """Return the protocol of one slave; None closes the connection."""
        host, port = getattr(addr, "host", "?"), getattr(addr, "port", 0)
        return self._make(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _nothing() -> None:
    """Do nothing."""
