"""
The lane of plain sends, which most traffic is.

All plain sends of one read go through three passes: they are decoded and checked, they
are stored as one run (:mod:`rocketmq_tw.store.run`), and their responses are made from
one prepared text. With 32 messages of 128 bytes in a read that takes 2.9 microseconds a
message from the bytes of the requests to the bytes of the responses, against 5.5 one by
one.

A send is plain if it has code 310 and a JSON header in the usual form; if its topic and
queue are known; if no property asks for anything, and a unique key is there; if sizes
and flags are in order; and if the store can take it without any preparation. With
``SYNC_FLUSH`` its sender must wait for the disk; the responses of a read wait as one
(:mod:`rocketmq_tw.remoting.durable`). Other sends are left to the
:class:`~rocketmq_tw.broker.send.processor.SendProcessor`, which says what is wrong with
them, or makes what they need. Sends are checked here and there alike
(``tests/broker/send/test_lane.py`` compares both).

Source: as of the processor.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from rocketmq_tw.broker.send.drafts import BROKER_BITS
from rocketmq_tw.broker.send.properties import plain_code, waits_for_flush
from rocketmq_tw.broker.send.targets import Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.model import sysflag
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.remoting.durable import DurableLog
from rocketmq_tw.remoting.lane import LEFT, Read, Taken
from rocketmq_tw.store.run import RunMessage
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.command import ONE_WAY, RESPONSE, typed_decoder
from rocketmq_tw.wire.frame import JSON, Frame
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record_layout import FIXED_SIZE, HOST_V4_SIZE, MAX_TOPIC_V1
from rocketmq_tw.wire.requests.send import SendMessageV2, send_response_format

#: Bits of the system flag that are refused, or that the record does not keep.
_NOT_PLAIN = BROKER_BITS | sysflag.BORN_HOST_V6 | sysflag.STORE_HOST_V6
_CODE = int(SendMessageV2.code)
_START = b'{"code":%d,' % _CODE
_pack_head = struct.Struct(">II").pack
_decode = typed_decoder(b"%d" % _CODE)


class _Plain(RunMessage):
    """
    A plain send.

    :ivar opaque: the number that its response bears; None if it is one-way.
    """

    opaque: int | None = None


class SendLane:
    """
    Stores plain sends.

    :param added: the encoded properties that this broker adds to each message.
    :param max_size: the largest body, in bytes.
    :param log: what senders wait for; None if they do not wait.
    :param region: part of every response, like ``trace_on``.
    """

    starts: tuple[bytes, ...] = (_START,)

    def __init__(
        self,
        *,
        runs: RunWriter,
        targets: Targets,
        stats: BrokerStats,
        added: str,
        max_size: int,
        store_host: bytes,
        region: str,
        trace_on: str,
        log: DurableLog | None,
    ) -> None:
        self._log = log
        self._runs = runs
        self._find_target = targets.known.get
        self._find_queue = runs.find_queue
        self._stats = stats
        self._added = added.encode()
        self._max_size = max_size
        self._format = send_response_format(store_host, region, trace_on)

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
        taken = Taken()
        if len(peer.host_bytes) == HOST_V4_SIZE:
            run: list[_Plain] = []
            indexes, host = range(at, until), peer.host_bytes
            self._read(frames, indexes, host, run=run, taken=taken, read=read)
            if run:
                size = self._runs.put(run, received_at)
                self._stats.stored(len(run), size)
                taken.count = len(run)
                self._respond(run, taken)
        return taken

    def _read(
        self,
        frames: Sequence[Frame],
        indexes: range,
        host: bytes,
        *,
        run: list[_Plain],
        taken: Taken,
        read: Read | None,
    ) -> None:
        """Decode sends until one is not plain, or is not admitted."""
        capacity = self._runs.capacity
        for index in indexes:
            kind, header, body = frames[index]
            if kind != JSON or not header.startswith(_START):
                return
            try:
                command = _decode(header) if read is None else read(header, body)
            except LEFT:
                return
            flag, opaque, request = command.flag, command.opaque, command.fields
            if request is None or flag & RESPONSE or command.code != _CODE:
                return
            message = self._message(request, body, host)
            if message is None or message.size > capacity or opaque is None:
                if read is None:
                    command.body = request.body = body
                    taken.left = command
                return
            capacity -= message.size
            if not flag & ONE_WAY:
                message.opaque = opaque
            run.append(message)

    def _message(
        self, request: SendMessageV2, body: bytes, host: bytes
    ) -> _Plain | None:
        """Check a send; return None if it is not plain."""
        text = request.properties or ""
        code = plain_code(text)
        target = self._find_target(request.topic)
        if target is None or code is None or request.batch:
            return None
        if self._log is not None and not waits_for_flush(text):
            return None
        topic, queue_id, sys_flag = target.topic, request.queue_id, request.sys_flag
        queue = self._find_queue((topic, queue_id))
        if queue is None or queue_id >= target.queues or sys_flag & _NOT_PLAIN:
            return None
        properties = text.encode() + self._added
        if (
            len(body) > self._max_size
            or len(properties) > MAX_PROPERTIES
            or len(topic) > MAX_TOPIC_V1
        ):
            return None
        return _Plain(
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

    def _respond(self, run: list[_Plain], taken: Taken) -> None:
        """Make the frames of the responses."""
        form = self._format
        frames: list[bytes] = []
        for message in run:
            opaque = message.opaque
            if opaque is not None:
                header = form % (
                    message.commit_log_offset,
                    message.queue.queue_id,
                    message.queue_offset,
                    opaque,
                )
                size = len(header)
                frames += _pack_head(4 + size, size), header
        taken.responses = b"".join(frames)
        if self._log is not None:
            taken.response_count = len(frames) // 2
            taken.log = self._log
            taken.end = message.commit_log_offset + message.size
