"""
A slave's end of the connection to its master.

::

    OPEN       follow()          FOLLOWS, after the first report
    FOLLOWS    a transfer        FOLLOWS: appended, dispatched and reported
    any        bad transfer      CLOSED, with one line
    any        silence           CLOSED, after the housekeeping interval

A transfer that does not continue exactly where the log ends is not written.

Source: ``DefaultHAClient`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from rocketmq_tw.replication.frames import (
    MalformedTransfer,
    TransferDecoder,
    encode_report,
)
from rocketmq_tw.replication.rate import Rate
from rocketmq_tw.store.errors import DamagedTransfer, NotContinuous, StoreError
from rocketmq_tw.store.replica import ReplicaLog

#: Bytes that are read at once: up to 4 ms, if all messages are small.
READ_SIZE = 256 << 10


class MasterLink(Protocol):
    """
    Copies one master's log.

    :param heartbeat_interval: seconds after which the offset is reported again.
    :param housekeeping_interval: seconds without a byte after which it is closed.
    :param on_closed: called with the reason when the connection is gone.
    :ivar last_read: when something came, in seconds of the clock; 0 if nothing did.
    """

    # _reported < 0: nothing was reported, so nothing may come.

    def __init__(
        self,
        *,
        replica: ReplicaLog,
        clock: IReactorTime,
        heartbeat_interval: float,
        housekeeping_interval: float,
        on_closed: Callable[[MasterLink, str], None],
    ) -> None:
        self._replica = replica
        self._clock = clock
        self._heartbeat_interval = heartbeat_interval
        self._housekeeping_interval = housekeeping_interval
        self._on_closed = on_closed
        self._transfers = TransferDecoder()
        self._reported = -1
        self._may_begin_anywhere = False
        self._why = "the master closed the connection"
        self._is_closed = False
        self._is_paused = False
        # When reading began, at first or again.
        self._reads_since = clock.seconds()
        self.last_read = 0.0
        self.last_write = 0.0
        self.rate = Rate()

    def connectionMade(self) -> None:
        """Send nothing before :meth:`follow`: the first report decides."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        transport.setTcpKeepAlive(True)
        # More is read at once: what came while this process did something else.
        transport.bufferSize = READ_SIZE

    def follow(self, may_begin_anywhere: bool) -> None:
        """
        Report where the log ends, so that the master continues there.

        :param may_begin_anywhere: an empty log may begin with any file of the master.
        """
        self._may_begin_anywhere = may_begin_anywhere
        self._replica.drop_part()
        self._replica.on_flushed = self._flushed
        self._report(self._replica.end)

    def dataReceived(self, data: bytes) -> None:
        """Append what comes, and report it."""
        if self._is_closed:
            return
        now = self._clock.seconds()
        self.last_read = now
        self.rate.add(len(data), now)
        if self._reported < 0:
            self.close("it sends before this slave has reported anything")
            return
        try:
            self._take_all(data)
        except (MalformedTransfer, NotContinuous, DamagedTransfer) as error:
            self.close(str(error))
        except StoreError as error:
            self.close(f"nothing can be written now: {error}")
        else:
            self._report_progress()
            self._pause_if_full()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Drop the part of a record that came last."""
        self._is_closed = True
        if self._replica.on_flushed == self._flushed:
            self._replica.on_flushed = _nothing
            self._replica.drop_part()
        self._on_closed(self, self._why)

    def tick(self) -> None:
        """Report again after some time; close a connection on which nothing comes."""
        if self._is_closed:
            return
        now = self._clock.seconds()
        # What comes is not read while too much waits for the disk.
        silent = now - max(self.last_read, self._reads_since)
        if silent > self._housekeeping_interval and not self._is_paused:
            self.close(
                f"the master sent nothing for {self._housekeeping_interval:g} s"
                " (haHousekeepingInterval)"
            )
        elif self._reported >= 0 and now - self.last_write > self._heartbeat_interval:
            self._report(max(self._reported, self._replica.safe_end))

    def close(self, why: str) -> None:
        """Close the connection."""
        if self._is_closed:
            return
        self._is_closed = True
        self._why = why
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def _take_all(self, data: bytes) -> None:
        """Append what comes together as one piece, if nothing is missing between."""
        pieces: list[memoryview] = []
        begin = end = -1
        for position, piece in self._transfers.feed(data):
            if position != end or not piece:
                if pieces:
                    self._take(begin, _joined(pieces))
                    pieces.clear()
                begin = end = position
            if piece:
                pieces.append(piece)
                end += len(piece)
            else:
                self._take(position, b"")
        if pieces:
            self._take(begin, _joined(pieces))

    def _take(self, position: int, piece: bytes | memoryview) -> None:
        """Append a piece, or check a heartbeat."""
        replica = self._replica
        if replica.is_empty and self._may_begin_anywhere and position != replica.next:
            replica.begin_at(position)
        self._may_begin_anywhere = False
        if piece:
            replica.append(position, piece)
        elif position != replica.next:
            raise NotContinuous(position, replica.next)

    def _report_progress(self) -> None:
        """Report what may be acknowledged now, if that is more than before."""
        safe = self._replica.safe_end
        if safe > self._reported:
            self._report(safe)

    def _report(self, offset: int) -> None:
        self._reported = offset
        self.last_write = self._clock.seconds()
        transport: Any = self.transport
        transport.write(encode_report(offset))

    def _pause_if_full(self) -> None:
        """Read nothing while too much waits for the disk."""
        if self._replica.is_full and not self._is_paused:
            self._is_paused = True
            transport: Any = self.transport
            transport.pauseProducing()

    def _flushed(self) -> None:
        """Report what is on disk, and read on."""
        if self._is_closed:
            return
        self._report_progress()
        if self._is_paused and not self._replica.is_full:
            self._is_paused = False
            self._reads_since = self._clock.seconds()
            transport: Any = self.transport
            transport.resumeProducing()


def _joined(pieces: list[memoryview]) -> bytes | memoryview:
    """Join pieces; usually there is one."""
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _nothing() -> None:
    """Do nothing."""
