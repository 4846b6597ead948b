"""
A master's end of the connection to one slave.

::

    ACCEPTED    a report        FOLLOWED, from that offset on; 0 is the last file
    FOLLOWED    a report        FOLLOWED, what waits for it may be acknowledged
    any         silence         CLOSED, after the housekeeping interval
    any         bad report      CLOSED, with one line

The log is read in pieces of 256 KiB, from the page cache or in a thread, and a piece
only when the one before has left: what is not sent yet stays in the log and not in
memory, however slow the slave is.

Source: ``DefaultHAConnection`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.replication.frames import (
    MalformedTransfer,
    ReportDecoder,
    encode_transfers,
)
from rocketmq_tw.replication.peers import PeerLines
from rocketmq_tw.replication.rate import Rate
from rocketmq_tw.replication.status import SlaveStatus

#: Bytes of the log that are read at once: some 0.1 ms.
PIECE = 256 << 10


class Source(Protocol):
    """The commit log that slaves copy; see ``rocketmq_tw.store.source.LogSource``."""

    @property
    def file_size(self) -> int:
        """The size of its files."""

    @property
    def min_offset(self) -> int:
        """Where it begins."""

    @property
    def end(self) -> int:
        """Where it ends."""

    def read(self, position: int, size: int) -> bytes | Deferred[bytes]:
        """Read bytes, at most to the end of the log and of one file."""

    def call_at_next(self, function: Callable[[], None]) -> None:
        """Call ``function`` once, for the next record."""

    def cancel(self, function: Callable[[], None]) -> None:
        """Do not call it any more."""


class LinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    The settings of replication on the master's side; times are in seconds.

    :ivar batch_size: the most bytes of a transfer.
    :ivar max_gap: a slave that lacks so many bytes is not in sync.
    :ivar bytes_per_second: for each slave; None for any number.
    """

    batch_size: int = 32 << 10
    heartbeat_interval: float = 5.0
    housekeeping_interval: float = 20.0
    max_gap: int = 256 << 20
    bytes_per_second: int | None = None


@implementer(IPushProducer)
class SlaveLink(TwistedProtocol):
    """
    Sends the log to one slave.

    :param on_report: called with the link after each report.
    :param on_lost: called with the link when the connection is gone.
    :param peers: writes lines about slaves, at a limited rate.
    :param why_not: asked at the first report: returns why the slave may not copy the
        log, if that is so; None lets all.
    :ivar address: ``host:port`` of the slave.
    :ivar acked: the offset that it last reported; -1 before the first report.
    :ivar next: the offset of the next byte to send.
    """

    _log = Logger()

    # acked < 0: nothing is sent. acked <= end of the log. While _reading is set, a
    # piece is read in a thread, and nothing else is.

    def __init__(
        self,
        *,
        source: Source,
        clock: IReactorTime,
        settings: LinkSettings,
        address: str,
        on_report: Callable[[SlaveLink], None],
        on_lost: Callable[[SlaveLink], None],
        peers: PeerLines,
        why_not: Callable[[str], str | None] | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._settings = settings
        self.address = address
        self._why_not = why_not
        self._on_report = on_report
        self._on_lost = on_lost
        self._peers = peers
        self._reports = ReportDecoder()
        self._rate = Rate(settings.bytes_per_second)
        self._is_paused = False
        self._is_closed = False
        self._reading: Deferred[Any] | None = None
        self._later: IDelayedCall | None = None
        self._last_read = self._last_write = clock.seconds()
        self.acked = -1
        self.next = 0

    @property
    def is_followed(self) -> bool:
        """Whether the slave has said where its log ends."""
        return self.acked >= 0 and not self._is_closed

    @property
    def is_in_sync(self) -> bool:
        """Whether the slave lacks little."""
        behind = self._source.end - self.acked
        return self.is_followed and behind < self._settings.max_gap

    def status(self) -> SlaveStatus:
        """Return what operators are shown."""
        return SlaveStatus(
            address=self.address,
            ack_offset=max(self.acked, 0),
            behind=max(0, self._source.end - max(self.acked, 0)),
            position=self.next,
            bytes_per_second=self._rate.per_second(self._clock.seconds()),
            is_in_sync=self.is_in_sync,
        )

    def connectionMade(self) -> None:
        """Wait for the first report."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        transport.setTcpKeepAlive(True)
        self.use_transport(transport)

    def use_transport(self, transport: Any) -> None:
        """Write to this transport from now on: the first, or one with TLS over it."""
        self.transport = transport
        transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Take the slave's reports."""
        self._last_read = self._clock.seconds()
        if self._is_closed:
            return
        try:
            report = self._reports.feed(data)
        except MalformedTransfer as error:
            self.close(str(error))
            return
        if report is None:
            return
        wrong = self._wrong(report)
        if wrong is not None:
            self.close(wrong)
            return
        is_first = self.acked < 0
        self.acked = report
        if is_first:
            self._begin(report)
        self._on_report(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Send nothing more."""
        self._end()
        self._on_lost(self)

    def pump(self) -> None:
        """Send what the slave lacks, as much as can leave now."""
        if self._is_paused or self._reading is not None or not self.is_followed:
            return
        self._pump()

    def tick(self) -> None:
        """Send a heartbeat if nothing else was sent, and close a silent connection."""
        if self._is_closed:
            return
        now, settings = self._clock.seconds(), self._settings
        if now - self._last_read > settings.housekeeping_interval:
            self.close(
                f"the slave reported nothing for {settings.housekeeping_interval:g} s"
                " (haHousekeepingInterval)"
            )
        elif self.is_followed and self._reading is None and not self._is_paused:
            if now - self._last_write > settings.heartbeat_interval:
                self._send(self.next, b"")

    def close(self, why: str) -> None:
        """Close the connection, and log the reason."""
        if not self._is_closed:
            self._peers.complain(self.address, why)
            self.cut()

    def cut(self) -> None:
        """Close the connection."""
        self._end()
        if self.transport is not None:
            transport: Any = self.transport
            transport.abortConnection()

    def pauseProducing(self) -> None:
        """What was sent last has not left yet."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """It has: send more."""
        self._is_paused = False
        self.pump()

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._end()

    def _wrong(self, report: int) -> str | None:
        """Return what is wrong with a report, if anything."""
        if self.acked < 0 and self._why_not is not None:
            refusal = self._why_not(self.address)
            if refusal is not None:
                return refusal
        source = self._source
        if report > source.end:
            return (
                f"the slave's commit log ends at {report}, ours at {source.end}: it has"
                " messages that are not here, so it cannot follow"
            )
        if self.acked < 0 and 0 < report < source.min_offset:
            return (
                f"the slave's commit log ends at {report}, but ours begins at"
                f" {source.min_offset}: the files between them are deleted, so it has"
                " to copy everything again"
            )
        if report < self.acked:
            return f"the slave reports {report} after {self.acked}"
        return None

    def _begin(self, report: int) -> None:
        """Send from the offset that the slave has reported first."""
        source = self._source
        self.next = report or source.end - source.end % source.file_size
        self._peers.info(
            self._log,
            self.address,
            "slave {peer} follows from {position} on, {behind} bytes behind",
            peer=self.address,
            position=self.next,
            behind=source.end - self.next,
        )
        self.pump()

    def _pump(self) -> None:
        """Read and send pieces until there are none, or they do not leave."""
        source, later = self._source, self._later
        if later is not None and later.active():
            return
        while not self._is_paused and not self._is_closed:
            wanted = min(PIECE, source.end - self.next)
            if wanted <= 0:
                return
            now = self._clock.seconds()
            wanted = self._rate.allowed(wanted, now)
            if not wanted:
                self._later = self._clock.callLater(int(now) + 1 - now, self._again)
                return
            try:
                data = source.read(self.next, wanted)
            except OSError as error:
                self.close(f"the commit log was not read: {error}")
                return
            if isinstance(data, Deferred):
                self._reading = data
                data.addCallbacks(self._read, self._not_read)
                return
            self._sent_from_log(data)

    def _again(self) -> None:
        """Go on in the next second."""
        self._later = None
        self.pump()

    def _read(self, data: bytes) -> None:
        """Send what was read in a thread."""
        self._reading = None
        if not self._is_closed:
            self._sent_from_log(data)
            self.pump()

    def _not_read(self, failure: Failure) -> None:
        """Try again later: the disk is busy or fails."""
        self._reading = None
        if not self._is_closed:
            self.close(f"the commit log was not read: {failure.getErrorMessage()}")

    def _sent_from_log(self, data: bytes) -> None:
        """Send a piece of the log."""
        if not data:
            self.close(
                f"the file with offset {self.next} of the commit log is deleted: the"
                " slave has to copy everything again"
            )
            return
        position = self.next
        self.next += len(data)
        self._send(position, data)

    def _send(self, position: int, data: bytes) -> None:
        """Write transfers, or a heartbeat."""
        now = self._clock.seconds()
        self._last_write = now
        self._rate.add(len(data), now)
        transport: Any = self.transport
        transport.write(encode_transfers(position, data, self._settings.batch_size))

    def _end(self) -> None:
        """Do nothing any more."""
        self._is_closed = True
        if self._later is not None and self._later.active():
            self._later.cancel()
