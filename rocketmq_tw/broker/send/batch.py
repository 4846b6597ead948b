"""
Stores batches: many messages for one topic and queue, all of them or none.

Each message becomes a record of its own. Its properties are stored unchanged: the
broker adds none, and refuses a batch in which one asks for a delay or a transaction.
Tens of thousands of messages are read in steps, then stored together.

Source: ``SendMessageProcessor.sendBatchMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from rocketmq_tw.broker.dedupe.sends import DedupedSends
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.send.drafts import BROKER_BITS, broker_bits_set
from rocketmq_tw.broker.send.mixes import (
    L,
    M,
    check_in_batch,
    check_item,
)
from rocketmq_tw.broker.send.responses import Sending, SendResponses
from rocketmq_tw.broker.send.targets import Target, Targets
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import TAGS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.model.topic import RETRY_PREFIX
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.store.errors import PropertiesTooLong
from rocketmq_tw.store.interfaces import Appended, IMessageStore
from rocketmq_tw.wire import batch, properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.record_layout import HOST_V4_SIZE
from rocketmq_tw.wire.requests.send import SendFields

_TAGS = TAGS.encode()
#: Messages of a batch that are read in one step: some 4 ms. A batch of fewer is stored
#: at once.
AT_ONCE = 4000

#: For what a batch waits.
_READ = "a batch was read"


class BatchSender:
    """
    Stores batches.

    :param deduped: stores batches of topics with a window.
    :param max_size: the largest body of a request, in bytes.
    :param max_messages: the most messages of a batch.
    :param pacer: runs the reading of large batches.
    :param wall_time: returns the time of day, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        targets: Targets,
        new_topics: NewTopics,
        responses: SendResponses,
        deduped: DedupedSends,
        stats: BrokerStats,
        max_size: int,
        max_messages: int,
        pacer: Pacer,
        wall_time: Callable[[], float],
    ) -> None:
        self._pacer = pacer
        self._wall_time = wall_time
        self._store = store
        self._targets = targets
        self._new_topics = new_topics
        self._responses = responses
        self._deduped = deduped
        self._stats = stats
        self._max_size = max_size
        self._max_messages = max_messages

    def send(self, request: SendFields, call: Call) -> Sending:
        """
        Store all messages of a batch, or none.

        :raises Refused: it is empty, too large, or has a property that is not allowed.
        :raises PropertiesTooLong: those of the request could not be a message's.
        :raises MalformedBatch: the body is not a list of messages, or of too many.
        """
        self._check(request)
        target = self._targets.known.get(request.topic)
        if target is None:
            return self._new_topics.hold(
                lambda: self._store_batch(
                    request, call, self._targets.find(request, call)
                )
            )
        return self._store_batch(request, call, target)

    def _store_batch(self, request: SendFields, call: Call, target: Target) -> Sending:
        """Store all messages of a batch that may be stored."""
        queue_id = request.queue_id
        if queue_id < 0 or queue_id >= target.queues:
            queue_id = target.choose_queue(queue_id)
        items = batch.parts(request.body, self._max_messages)
        drafts = _drafts(items, request, call, target.topic, queue_id)
        first = list(islice(drafts, AT_ONCE))
        if target.window_ms:
            steps = self._put_deduped(request, target, queue_id, [*first], drafts)
            return self._pacer.run(steps, call.peer, len(request.body))
        if len(first) < AT_ONCE:
            stored = self._put(request, first, call.received_at)
            return self._responses.batch(request, queue_id, stored)
        steps = self._put_in_steps(request, target, queue_id, [*first], drafts)
        return self._pacer.run(steps, call.peer, len(request.body))

    def _put_in_steps(
        self,
        request: SendFields,
        target: Target,
        queue_id: int,
        read: list[Draft],
        drafts: Iterator[Draft],
    ) -> Steps[Sending]:
        """
        Read the rest of a large batch in steps, then store all of it.

        :raises Refused: the topic was changed or deleted meanwhile.
        """
        yield from _read_rest(read, drafts)
        self._targets.check_current(target, _READ)
        stored = self._put(request, read, self._wall_time())
        yield None
        return self._responses.batch(request, queue_id, stored)

    def _put_deduped(
        self,
        request: SendFields,
        target: Target,
        queue_id: int,
        read: list[Draft],
        drafts: Iterator[Draft],
    ) -> Steps[Sending]:
        """
        Store what is new of a batch, to a topic with a window, in steps.

        :raises Refused: the topic was changed or deleted meanwhile.
        """

        def put(drafts: list[Draft], now: float) -> list[Appended]:
            self._targets.check_current(target, _READ)
            return self._put(request, drafts, now)

        yield from _read_rest(read, drafts)
        if not read:
            raise _empty()
        stored = yield from self._deduped.batch_steps(request, target, read, put)
        last = max(stored, key=lambda each: each.commit_log_offset)
        return self._responses.batch(request, queue_id, stored, last)

    def _put(
        self, request: SendFields, drafts: list[Draft], now: float
    ) -> list[Appended]:
        """Store all messages, or none."""
        if not drafts:
            raise _empty()
        stored = self._store.put_batch(drafts, now)
        size = sum(each.size for each in stored)
        end = self._responses.awaited(request, stored[-1])
        self._stats.stored(len(stored), size, now, end, drafts[0])
        return stored

    def _check(self, request: SendFields) -> None:
        """Refuse what is not allowed in a batch."""
        if len(request.body) > self._max_size:
            raise too_large(len(request.body), self._max_size)
        if request.sys_flag & BROKER_BITS:
            raise broker_bits_set(request.sys_flag)
        if request.topic.startswith(RETRY_PREFIX):
            raise _illegal(f"a batch cannot be sent to the retry topic {request.topic}")
        text = request.properties or ""
        if len(text) > MAX_PROPERTIES:
            raise PropertiesTooLong(len(text), MAX_PROPERTIES)
        check_in_batch(text)


def _read_rest(read: list[Draft], drafts: Iterator[Draft]) -> Steps[None]:
    """Add the rest of a large batch to what was read of it, in steps."""
    for more in parts_of(drafts, AT_ONCE):
        read += more
        yield None


def _empty() -> Refused:
    return _illegal("the batch is empty; expected at least one message")


def too_large(size: int, limit: int) -> Refused:
    """Return the error for a body that exceeds the limit."""
    return _illegal(f"the message body is {size} bytes; at most {limit} are stored")


def _illegal(why: str) -> Refused:
    return Refused(ResponseCode.MESSAGE_ILLEGAL, why)


def _drafts(
    items: Iterable[tuple[int, bytes, bytes]],
    request: SendFields,
    call: Call,
    topic: bytes,
    queue_id: int,
) -> Iterator[Draft]:
    """Iterate over the drafts of a batch, with their properties unchanged."""
    host = call.peer.host_bytes
    is_v6 = len(host) > HOST_V4_SIZE
    sys_flag = request.sys_flag | (sysflag.BORN_HOST_V6 if is_v6 else 0)
    times = request.reconsume_times or 0
    return (
        Draft(
            topic,
            queue_id,
            flag,
            sys_flag,
            request.born_timestamp,
            host,
            body,
            check_item(properties)
            if L in properties or M in properties
            else properties,
            _tags_code(properties) if _TAGS in properties else 0,
            times,
        )
        for flag, body, properties in items
    )


def _tags_code(text: bytes) -> int:
    """Return the tags code of a properties text."""
    return tags_code(properties.find(text.decode("utf-8", "replace"), TAGS))
