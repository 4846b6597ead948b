"""What the lane of transactions has taken of one read, and has not stored yet."""

from __future__ import annotations

import msgspec

from rocketmq_tw.broker.send.lane_forms import LaneForm
from rocketmq_tw.broker.transactions.decisions import Decision
from rocketmq_tw.store.run import RunMessage
from rocketmq_tw.store.run_writer import Prepared

#: Bytes of half messages that are read from the log for one batch, and one more: the
#: ends of a read are short, but they may all be of messages that are large.
READ_AT_ONCE = 2 << 20


class HalfRun(RunMessage):
    """
    A half message that is to be stored.

    :ivar topic: the one that it is meant for, like ``named_queue``.
    :ivar key: its unique key, which its response has, too.
    :ivar group: that of its producer.
    :ivar own_from: where those of its properties begin that only half messages have;
        they end at ``own_until``.
    """

    topic: bytes = b""
    named_queue: int = 0
    key: bytes = b""
    group: str = ""
    own_from: int = 0
    own_until: int = 0


class Batch(msgspec.Struct):
    """
    What is to be stored, decided and responded to, in the order of the requests.

    :ivar form: that of all requests of the read, and so of their responses.
    :ivar host: that of the sender, encoded.
    :ivar capacity: how many bytes of records may still be added.
    :ivar readable: how many bytes of half messages may still be read; one more may be
        while it is not below zero.
    :ivar halves: the half messages among them.
    :ivar prepared: which messages had half messages, by their index in the run.
    :ivar ended: the decisions and half messages, by the queue offset of the latter.
    :ivar ended_size: the characters of these in an operation message.
    :ivar responses: the numbers of the requests that wait for a response, each with
        its half message; None for an end.
    :ivar waiting: of which requests the responses wait for the disk, as all of them do
        then; 0 for none, None while there is no response.
    """

    form: LaneForm
    host: bytes
    capacity: int
    readable: int = READ_AT_ONCE
    run: list[RunMessage] = []
    halves: list[HalfRun] = []
    prepared: list[Prepared] = []
    ended: dict[int, tuple[Decision, HalfRun]] = {}
    ended_size: int = 0
    responses: list[tuple[int, HalfRun | None]] = []
    waiting: int | None = None

    def add(self, message: RunMessage) -> None:
        """Add a message, for which there is capacity."""
        self.capacity -= message.size
        self.run.append(message)

    def may_respond(self, waiting: int) -> bool:
        """
        Whether a response may be among the others: they are sent at the same time.

        :param waiting: see above.
        """
        return self.waiting is None or self.waiting == waiting

    def respond(self, opaque: int, half: HalfRun | None, waiting: int) -> None:
        """Respond to a request; see :attr:`responses` and :attr:`waiting`."""
        self.responses.append((opaque, half))
        self.waiting = waiting
