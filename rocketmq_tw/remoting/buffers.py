"""
What connections keep in memory: unfinished frames, requests that wait to be handled,
and responses that are not sent yet.

A server has a budget of bytes for all its connections. Past it, connections are closed
until it holds again: each time the one that has kept bytes for longest, of those that
keep at least the average. A peer that sends or reads at a common speed keeps bytes for
a moment only.

Bodies from 1 MiB on are let in only for requests that may need them. Others are refused
once the header is there, before the body is. Headers from 512 KiB on are refused at
once: to decode one of 15 MiB takes more than a second.

Nothing here is called for frames that come whole.

Source: none; Apache RocketMQ leaves this to the Java heap.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.remoting.admission import Admission
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.command import Command, decode
from rocketmq_tw.wire.errors import BodyTooLong
from rocketmq_tw.wire.frame import FrameDecoder

Gauge = Callable[[], int]

#: Bytes that all connections of a server keep at most, unless set otherwise.
DEFAULT_BUDGET = 512 << 20
#: Bytes of a header. The largest are those of pulls with a subscription of 65,536
#: characters, and of sends with 32,767 bytes of properties, each written as an escape.
LONGEST_HEADER = 512 << 10
#: Bytes of the body of a request that needs no large one.
SMALL_BODY = 1 << 20

#: A code of Apache RocketMQ that is not handled here yet, and carries large bodies.
_LISTS_OF_TOPICS = 18

#: The requests that may have a body of any size that fits a frame.
LARGE_BODIES = frozenset(
    (
        RequestCode.SEND_MESSAGE,
        RequestCode.SEND_MESSAGE_V2,
        RequestCode.SEND_BATCH_MESSAGE,
        RequestCode.SEND_REPLY_MESSAGE,
        RequestCode.SEND_REPLY_MESSAGE_V2,
        RequestCode.REGISTER_BROKER,
        RequestCode.UPDATE_BROKER_CONFIG,
        RequestCode.UPDATE_NAMESRV_CONFIG,
        RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
        _LISTS_OF_TOPICS,
    )
)


def check_unfinished(decoder: FrameDecoder, awaits: Callable[[Command], bool]) -> None:
    """
    Check the size of a header, and of a body as soon as the header before it is there.

    :param awaits: whether a header belongs to a response that is waited for.
    :raises HeaderTooLong: no request needs such a header.
    :raises BodyTooLong: requests of that code need no such body.
    :raises RemoteProtocolError: the header is none.
    """
    start = decoder.large_start(LONGEST_HEADER, LONGEST_HEADER)
    if start is None:
        return
    kind, header, size = start
    command = decode(kind, header)
    if size > SMALL_BODY and command.code not in LARGE_BODIES and not awaits(command):
        raise BodyTooLong(command.code, size, SMALL_BODY)


class BufferBudget:
    """
    The bytes that all connections of one server keep.

    :param limit: how many there may be; 0 for any number.
    :ivar size: how many there are: the sum of what all holders keep.
    :ivar closed: how many connections were closed for it since the start.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        # The oldest first. None of them keeps 0 bytes.
        self._holders: dict[HeldBytes, int] = {}
        self.size = 0
        self.closed = 0

    def set(self, holder: HeldBytes, size: int) -> None:
        """Note what a connection keeps now; close some if it is too much in all."""
        self.size += size - self._holders.get(holder, 0)
        if size:
            self._holders[holder] = size
        else:
            self._holders.pop(holder, None)
        while self._limit and self.size > self._limit:
            self._close_one()

    def _close_one(self) -> None:
        """Close the oldest holder of those that keep at least the average."""
        average = self.size / len(self._holders)
        holder = next(h for h, size in self._holders.items() if size >= average)
        self.size -= self._holders.pop(holder)
        self.closed += 1
        holder.close(
            f"{holder.size} bytes of requests and responses are kept for it, and those"
            f" of all connections are more than maxBufferedSize ({self._limit})"
        )


class HeldBytes:
    """
    The bytes that one connection keeps.

    :param close: closes the connection; is given the reason.
    """

    __slots__ = ("_budget", "_unfinished", "_unhandled", "_unsent", "close")

    def __init__(self, budget: BufferBudget, close: Callable[[str], None]) -> None:
        self._budget = budget
        self.close = close
        self._unfinished = 0
        self._unhandled = 0
        self._unsent = 0

    @property
    def size(self) -> int:
        """All of them."""
        return self._unfinished + self._unhandled + self._unsent

    def set_read(self, unfinished: int, unhandled: int) -> None:
        """
        Note what was read and is not handled.

        :param unfinished: bytes of a frame that has not come wholly.
        :param unhandled: bytes of frames that came wholly.
        """
        self._unfinished, self._unhandled = unfinished, unhandled
        self._budget.set(self, self.size)

    def set_unsent(self, size: int) -> None:
        """Note how many bytes wait for the peer to read."""
        self._unsent = size
        self._budget.set(self, self.size)

    def release(self) -> None:
        """Note that nothing is kept any more; the connection is not referred to."""
        self._unfinished = self._unhandled = self._unsent = 0
        self._budget.set(self, 0)
        self.close = _nothing


def gauges_of(admission: Admission, budget: BufferBudget) -> dict[str, Gauge]:
    """
    Return what operators are shown of the connections of a server and their bytes.

    :returns: functions that return a number, by the name that is shown.
    """
    return {
        "connections": lambda: admission.count,
        "connectionsRefused": lambda: admission.refused,
        "connectionsDisplaced": lambda: admission.displaced,
        "bufferedSize": lambda: budget.size,
        "bufferedConnectionsClosed": lambda: budget.closed,
    }


def _nothing(_why: str) -> None:
    """Do nothing."""
