"""
The lane of plain sends, which most traffic is.

All plain sends of one read go through three passes: they are decoded and checked, they
are stored as one run (:mod:`rocketmq_tw.store.run`), and their responses are made from
one prepared text. With 32 messages of 128 bytes in a read that takes 2.9 microseconds a
message from the bytes of the requests to the bytes of the responses, against 5.5 one by
one.

A send is plain if it has code 310 and a header in the usual form; if its topic and
queue are known; if no property asks for anything, and a unique key is there; if sizes
and flags are in order; and if the store can take it without any preparation. With
``SYNC_FLUSH`` its sender must wait for the disk; the responses of a read wait as one
(:mod:`rocketmq_tw.remoting.durable`). Timed messages may be among them
(:mod:`rocketmq_tw.broker.timer.lane`). Other sends are left to the
:class:`~rocketmq_tw.broker.send.processor.SendProcessor`, which says what is wrong with
them, or makes what they need. Sends are checked here and there alike
(``tests/broker/send/test_lane.py`` compares both).

Source: as of the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rocketmq_tw.broker.send.lane_forms import SEND_CODE, LaneForm
from rocketmq_tw.broker.send.lane_parts import NOT_PLAIN, LaneExtension, LaneParts
from rocketmq_tw.broker.send.properties import plain_code, waits_for_flush
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.broker.timer.sends import TimedSends
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.lane import LEFT, Read, Taken
from rocketmq_tw.store.run import RunMessage
from rocketmq_tw.wire.command import ONE_WAY, RESPONSE, Command
from rocketmq_tw.wire.frame import JSON, Frame
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record_layout import FIXED_SIZE, HOST_V4_SIZE, MAX_TOPIC_V1
from rocketmq_tw.wire.requests.send import SendMessageV2

if TYPE_CHECKING:
    from rocketmq_tw.broker.timer.lane import TimedMessage


class LaneMessage(RunMessage):
    """
    A send that is stored without a handler.

    :ivar opaque: the number that its response bears; None if it is one-way.
    """

    opaque: int | None = None


class SendLane:
    """
    Stores plain sends.

    :param timed: its lane makes what is stored of timed messages.
    :param other: takes what comes before, between and behind them, and is not plain.
    """

    def __init__(
        self,
        parts: LaneParts,
        *,
        timed: TimedSends,
        other: LaneExtension | None = None,
    ) -> None:
        self._other = other
        self._log = parts.log
        self._runs = parts.runs
        self._find_target = parts.targets.known.get
        self._find_queue = parts.runs.find_queue
        self._stats = parts.stats
        self._added = parts.added
        self._max_size = parts.max_size
        self._timed = timed
        # Of the read that is handled now.
        self._received_at = 0.0
        self._has_timed = False
        # The last send that was looked at: which of both kinds the next one may be.
        self._was_timed = False
        self._json, self._find_form = parts.forms.json, parts.forms.find

    def take(
        self,
        frames: Sequence[Frame],
        at: int,
        until: int,
        peer: Peer,
        received_at: float,
        read: Read | None = None,
    ) -> Taken:
        """Store the plain sends from ``at`` on; nothing that can fail is among them."""
        taken, kind = Taken(), frames[at][0]
        form: LaneForm | None = self._json
        if kind != JSON:
            form = self._find_form(kind)
        if form is None or len(peer.host_bytes) != HOST_V4_SIZE:
            return taken
        run: list[LaneMessage] = []
        self._received_at = received_at
        indexes, host = range(at, until), peer.host_bytes
        left = self._read(frames, indexes, host, form=form, run=run, read=read)
        if run:
            size = self._runs.put(run, received_at)
            timed = self._has_timed
            pieces = self._timed_frames(run, form) if timed else form.stored(run)
            taken.count, taken.responses = len(run), b"".join(pieces)
            taken.response_count = len(pieces) // 2
            if self._log is not None:
                self._wait(taken, run[-1])
            self._stats.stored_run(run, size, received_at, taken.end)
            if left is None:
                return taken
            if self._other is not None and self._other.wants(left):
                # It is decoded once more, when the lane is asked again.
                return taken
        elif self._other is not None:
            taken = self._other.take(frames, at, until, peer, received_at, read, left)
            if taken.count:
                return taken
        if left is not None and read is None:
            left.body = left.fields.body = frames[at + taken.count][2]
            taken.left = left
        return taken

    def _read(
        self,
        frames: Sequence[Frame],
        indexes: range,
        host: bytes,
        *,
        form: LaneForm,
        run: list[LaneMessage],
        read: Read | None,
    ) -> Command | None:
        """
        Decode sends until one is not plain, or is not admitted.

        :returns: the one that is not plain, without its body.
        """
        capacity = self._runs.capacity
        start, decode = form.send_start, form.decode_send
        for index in indexes:
            kind, header, body = frames[index]
            if kind != form.kind or not header.startswith(start):
                return None
            try:
                command = decode(header) if read is None else read(header, body)
            except LEFT:
                return None
            flag, opaque, request = command.flag, command.opaque, command.fields
            if request is None or flag & RESPONSE or command.code != SEND_CODE:
                return None
            message = self._message(request, body, host)
            if message is None or message.size > capacity or opaque is None:
                return command
            capacity -= message.size
            if not flag & ONE_WAY:
                message.opaque = opaque
            run.append(message)
        return None

    def _message(
        self, request: SendMessageV2, body: bytes, host: bytes
    ) -> LaneMessage | None:
        """Check a send; return None if it is not plain."""
        text = request.properties or ""
        target = self._find_target(request.topic)
        if target is None or request.batch:
            return None
        if self._was_timed:
            # So is the next one, mostly; a message is not both.
            timed = self._timed_message(request, text, body, host, target)
            if timed is not None:
                return timed
        code = plain_code(text)
        if code is None:
            return self._timed_message(request, text, body, host, target)
        if self._log is not None and not waits_for_flush(text):
            return None
        topic, queue_id, sys_flag = target.topic, request.queue_id, request.sys_flag
        queue = self._find_queue((topic, queue_id))
        if queue is None or queue_id >= target.queues or sys_flag & NOT_PLAIN:
            return None
        properties = text.encode() + self._added
        if (
            len(body) > self._max_size
            or len(properties) > MAX_PROPERTIES
            or len(topic) > MAX_TOPIC_V1
        ):
            return None
        return LaneMessage(
            queue,
            FIXED_SIZE + len(body) + len(topic) + len(properties),
            request.flag,
            sys_flag,
            request.born_timestamp,
            host,
            body,
            properties,
            code,
            request.reconsume_times or 0,
        )

    def _timed_message(
        self,
        request: SendMessageV2,
        text: str,
        body: bytes,
        host: bytes,
        target: Target,
    ) -> TimedMessage | None:
        """Check whether a send is timed; return None if it is not, or is left."""
        lane = self._timed.lane
        self._was_timed = False
        if lane is None:
            return None
        if not 0 <= request.queue_id < target.queues or request.sys_flag & NOT_PLAIN:
            return None
        if len(body) > self._max_size:
            return None
        if self._log is not None and not waits_for_flush(text):
            return None
        message = lane.message(request, text, body, host, target, self._received_at)
        if message is not None:
            self._has_timed = self._was_timed = True
        return message

    def _wait(self, taken: Taken, last: LaneMessage) -> None:
        """Let the responses wait until the last message is on disk."""
        taken.log = self._log
        taken.code = SEND_CODE
        taken.end = last.commit_log_offset + last.size

    def _timed_frames(self, run: list[LaneMessage], form: LaneForm) -> list[bytes]:
        """Make the frames where some messages are timed."""
        lane = self._timed.lane
        assert lane is not None, "it made them"
        frames: list[bytes] = []
        for message in run:
            if type(message) is LaneMessage:
                frames += form.stored([message])
                continue
            timed: Any = message
            lane.stored(timed)
            if timed.opaque is not None:
                frames += form.timed(timed, timed.opaque)
        self._has_timed = False
        self._timed.wake()
        return frames
