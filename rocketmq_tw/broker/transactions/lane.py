"""
The lane of transactions: half messages, and what ends their transactions.

It goes on where the lane of plain sends stops (:mod:`rocketmq_tw.broker.send.lane`),
and in the same way: what came with one read is decoded and checked, then stored as one
run, then decided and responded to. A transaction of 1 KiB takes 12 microseconds from
the bytes of its two requests to those of its response, against 40 by their handlers.

What is in any way special or wrong is left to the handlers. Both store the same bytes
and respond alike (``tests/broker/transactions/test_lane.py`` compares both).

Source: ``SendMessageProcessor`` and ``EndTransactionProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.broker.send.lane_forms import END_CODE, SEND_CODE
from rocketmq_tw.broker.send.lane_parts import LaneParts
from rocketmq_tw.broker.transactions.counts import TransactionCounts
from rocketmq_tw.broker.transactions.ending import EndProcessor
from rocketmq_tw.broker.transactions.lane_batch import Batch
from rocketmq_tw.broker.transactions.lane_end import LaneEnds
from rocketmq_tw.broker.transactions.lane_half import LaneHalves
from rocketmq_tw.broker.transactions.lane_recent import RecentHalves
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.lane import LEFT, Read, Taken
from rocketmq_tw.wire.command import ONE_WAY, RESPONSE, Command
from rocketmq_tw.wire.frame import Frame


class TransactionLane:
    """
    Takes what belongs to transactions.

    :param ending: has the decisions, and counts them.
    :param counts: has the half messages of topics.
    :param recent: keeps half messages for ``ends``.
    """

    def __init__(
        self,
        parts: LaneParts,
        *,
        halves: LaneHalves,
        ends: LaneEnds,
        ending: EndProcessor,
        recent: RecentHalves,
        counts: TransactionCounts,
    ) -> None:
        self._runs = parts.runs
        self._stats = parts.stats
        self._log = parts.log
        #: Of which requests the responses to half messages are, if they wait.
        self._waiting = 0 if parts.log is None else SEND_CODE
        self._halves = halves
        self._ends = ends
        self._ending = ending
        self._recent = recent
        self._counts = counts
        self._find_form = parts.forms.find

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None,
        first: Command | None,
    ) -> Taken:
        """
        Take half messages and ends from ``at`` on; nothing that can fail is among them.
        """
        taken, form = Taken(), self._find_form(frames[at][0])
        if form is None:
            return taken
        batch = Batch(form, peer.host_bytes, self._runs.capacity)
        for kind, header, body in frames[at:until]:
            if kind != form.kind:
                break
            if header.startswith(form.end_start):
                is_taken = self._take_end(header, body, batch, read)
            elif first is not None or header.startswith(form.send_start):
                is_taken = self._take_half(header, body, batch, read, first)
            else:
                break
            if not is_taken:
                break
            first = None
            taken.count += 1
        if taken.count:
            self._store(batch, received_at)
            self._respond(batch, taken)
        return taken

    def _take_half(
        self,
        header: bytes,
        body: bytes,
        batch: Batch,
        read: Read | None,
        command: Command | None,
    ) -> bool:
        """Add a half message to what is stored; False if it is another send."""
        if command is None:
            try:
                decode = batch.form.decode_send
                command = decode(header) if read is None else read(header, body)
            except LEFT:
                return False
        flag, opaque, request = command.flag, command.opaque, command.fields
        if request is None or flag & RESPONSE or command.code != SEND_CODE:
            return False
        message = self._halves.message(request, body, batch)
        if message is None or message.size > batch.capacity or opaque is None:
            return False
        if not flag & ONE_WAY:
            if not batch.may_respond(self._waiting):
                return False
            batch.respond(opaque, message, self._waiting)
        batch.halves.append(message)
        batch.add(message)
        return True

    def _take_end(
        self, header: bytes, body: bytes, batch: Batch, read: Read | None
    ) -> bool:
        """Add the end of a transaction; False if its handler must look at it."""
        try:
            decode = batch.form.decode_end
            command = decode(header) if read is None else read(header, body)
        except LEFT:
            return False
        flag, opaque, request = command.flag, command.opaque, command.fields
        if request is None or flag & RESPONSE or command.code != END_CODE:
            return False
        if opaque is None:
            return False
        return self._ends.add(request, batch, None if flag & ONE_WAY else opaque)

    def _store(self, batch: Batch, received_at: float) -> None:
        """Store the messages, and record the decisions behind them."""
        if batch.run:
            size = self._runs.put(batch.run, received_at, batch.prepared)
            last = batch.run[-1]
            end = 0 if self._log is None else last.commit_log_offset + last.size
            self._stats.stored_run(batch.run, size, received_at, end, batch.halves)
        for offset, (decision, half) in batch.ended.items():
            self._ending.decide(offset, decision, half.topic, half.born_time_ms)
            self._recent.drop(offset)
        for half in batch.halves:
            self._recent.add(half)
            self._counts.stored(half.topic)

    def _respond(self, batch: Batch, taken: Taken) -> None:
        """Make the frames of the responses."""
        frames: list[bytes] = []
        form = batch.form
        for opaque, half in batch.responses:
            frames += form.ended(opaque) if half is None else form.half(half, opaque)
        taken.responses = b"".join(frames)
        taken.response_count = len(batch.responses)
        if batch.ended:
            theirs = sum(half is None for _, half in batch.responses)
            taken.other = END_CODE, len(batch.ended), theirs
        if batch.waiting:
            last = batch.run[-1]
            taken.log = self._log
            taken.code = batch.waiting
            taken.end = last.commit_log_offset + last.size
