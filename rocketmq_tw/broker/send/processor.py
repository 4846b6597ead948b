"""
Storing messages: single ones and batches.

The path of every message. What depends on the topic alone is worked out once and kept
until the table of topics changes; a message with nothing special about it is checked,
drafted, stored and answered in one pass of some 5 microseconds.

Source: ``SendMessageProcessor``, ``AbstractSendMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import BrokerConfig, FlushDiskType
from rocketmq_tw.broker.delay.schedule import DelayLevels, delay_level
from rocketmq_tw.broker.send.send_back import RetryRules
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import DELAY, POP_CK, UNIQ_KEY, WAIT
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.model.topic import (
    DLQ_PREFIX,
    NOT_SENDABLE,
    PERM_WRITE,
    RETRY_PREFIX,
    TopicConfig,
    check_topic_name,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import Appended, FlushOutcome, IMessageStore
from rocketmq_tw.wire import batch, properties
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import (
    SendBatchMessage,
    SendFields,
    SendMessage,
    SendMessageV2,
    SendResponse,
)

#: Messages that we cannot keep the promise of, yet.
_UNSUPPORTED = {
    "TRAN_MSG\x01true": "transactions",
    "TIMER_DELAY_SEC\x01": "delivery at any time",
    "TIMER_DELAY_MS\x01": "delivery at any time",
    "TIMER_DELIVER_MS\x01": "delivery at any time",
}

#: Bits of the system flag that a broker does not take from clients, and what they say.
_MARKS = {
    sysflag.PREPARED: "prepared or rolled back (0x4)",
    sysflag.COMMIT: "committed or rolled back (0x8)",
    sysflag.NEED_UNWRAP: "to be unwrapped (0x40)",
    sysflag.INNER_BATCH: "inner batch (0x80)",
}
_NOT_A_CLIENTS = sum(_MARKS)
_DLQ = DLQ_PREFIX.encode()
#: What a send gives: the answer, now or when the message is on disk.
Sending = SendResponse | Deferred[SendResponse]


class Target(msgspec.Struct, gc=False):
    """
    What a send needs to know of its topic.

    :ivar queues: queue ids below this are legal; ``write_queues`` are chosen from.
    """

    topic: bytes
    queues: int
    write_queues: int


class SendProcessor:
    """
    Handles sends.

    :param store_host: where the broker is, packed; the start of every message id.
    :param unique_key: makes a key for a message that came without one.
    """

    def __init__(
        self,
        config: BrokerConfig,
        store: IMessageStore,
        topics: TopicTable,
        groups: GroupTable,
        retries: RetryRules,
        levels: DelayLevels,
        stats: BrokerStats,
        store_host: bytes,
        unique_key: Callable[[], str],
    ) -> None:
        self._config = config
        self._store = store
        self._put = store.put
        self._flushes_first = config.flush_disk_type is FlushDiskType.SYNC_FLUSH
        self._topics = topics
        self._groups = groups
        self._retries = retries
        self._levels = levels
        self._stats = stats
        self._unique_key = unique_key
        self._max_size = config.max_message_size
        self._id_format = store_host.hex().upper() + "%016X"
        trace = "true" if config.trace_on else "false"
        self._added = properties.encode(
            {
                "CLUSTER": config.broker_cluster_name,
                "MSG_REGION": config.region_id,
                "TRACE_ON": trace,
            }
        )
        self._answered = (config.region_id, trace)
        self._targets: dict[str, Target] = {}
        topics.on_change.append(lambda _: self._targets.clear())

    def routes(self, router: Router) -> None:
        """Take the three ways to send."""
        router.on(SendMessage, self.send)
        router.on(SendMessageV2, self.send)
        router.on(SendBatchMessage, self.send_batch)

    def send(self, request: SendFields, call: Call) -> Sending:
        """Store one message and say where it went."""
        if request.batch:
            return self.send_batch(request, call)
        target = self._targets.get(request.topic) or self._target(request, call)
        queue_id = request.queue_id
        if queue_id < 0 or queue_id >= target.queues:
            queue_id = self._queue_id(queue_id, target)
        body = request.body
        if len(body) > self._max_size:
            raise self._too_large(len(body))
        draft = self._draft(request, call, target.topic, queue_id)
        stored = self._put(draft, call.received_at)
        self._stats.stored(1, stored.size)
        region, trace = self._answered
        answer = SendResponse(
            self._id_format % stored.commit_log_offset,
            draft.queue_id if draft.topic is target.topic else queue_id,
            stored.queue_offset,
            region,
            trace,
        )
        if self._flushes_first:
            return self._once_safe(answer, request, stored)
        return answer

    def send_batch(self, request: SendFields, call: Call) -> Sending:
        """Store all messages of a batch, or none."""
        self._check_batch(request)
        target = self._targets.get(request.topic) or self._target(request, call)
        queue_id = request.queue_id
        if queue_id < 0 or queue_id >= target.queues:
            queue_id = self._queue_id(queue_id, target)
        drafts = [
            self._batch_item(request, call, target.topic, queue_id, *item)
            for item in batch.split(request.body)
        ]
        if not drafts:
            raise Refused(
                ResponseCode.MESSAGE_ILLEGAL, "the batch is empty; expected messages"
            )
        stored = self._store.put_batch(drafts, call.received_at)
        self._stats.stored(len(stored), sum(each.size for each in stored))
        region, trace = self._answered
        ids = ",".join(self._id_format % each.commit_log_offset for each in stored)
        answer = SendResponse(ids, queue_id, stored[0].queue_offset, region, trace)
        if self._flushes_first:
            return self._once_safe(answer, request, stored[-1])
        return answer

    def _once_safe(
        self, answer: SendResponse, request: SendFields, last: Appended
    ) -> Sending:
        """Response when the messages are on disk, unless the sender does not wait."""
        wait = properties.find(request.properties or "", WAIT)
        if wait is not None and wait.lower() != "true":
            return answer
        waiting = self._store.when_flushed(last.commit_log_offset + last.size)
        return answer if waiting is None else waiting.addCallback(_flushed, answer)

    def _draft(
        self, request: SendFields, call: Call, topic: bytes, queue_id: int
    ) -> Draft:
        """Write a message as the store takes it."""
        text = request.properties or ""
        if "DELAY" in text or "TRAN_MSG" in text or "TIMER_" in text or POP_CK in text:
            text = self._special(request, text, topic)
        if request.sys_flag & _NOT_A_CLIENTS:
            raise _marked(request.sys_flag)
        if text and text[-1] != "\x02":
            text += "\x02"
        if UNIQ_KEY not in text:
            text += properties.encode({UNIQ_KEY: self._unique_key()})
        tag = properties.find(text, "TAGS")
        host = call.peer.host_bytes
        draft = Draft(
            topic,
            queue_id,
            request.flag,
            request.sys_flag & ~sysflag.BORN_HOST_V6
            if len(host) == 8
            else request.sys_flag | sysflag.BORN_HOST_V6,
            request.born_timestamp,
            host,
            request.body,
            (text + self._added).encode("utf-8", "replace"),
            java_hash(tag) if tag else 0,
            request.reconsume_times or 0,
        )
        if "DELAY" in text:
            now = call.received_at
            return self._levels.put_aside(draft, text + self._added, now)
        return draft

    def _special(self, request: SendFields, text: str, topic: bytes) -> str:
        """
        Refuse what is not supported yet; drop what clients must not store.

        Dead letters are not delayed any more.
        """
        for name, what in _UNSUPPORTED.items():
            if text.startswith(name) or "\x02" + name in text:
                raise Refused(
                    ResponseCode.NO_PERMISSION,
                    f"the message asks for {what}, which this broker does not offer",
                )
        is_dead = topic.startswith(_DLQ) and request.topic.startswith(RETRY_PREFIX)
        if not is_dead and not properties.find(text, POP_CK):
            return text
        kept = properties.decode(text)
        kept.pop(POP_CK, None)
        if is_dead:
            kept.pop(DELAY, None)
        return properties.encode(kept)

    def _batch_item(
        self,
        request: SendFields,
        call: Call,
        topic: bytes,
        queue_id: int,
        flag: int,
        body: bytes,
        text: bytes,
    ) -> Draft:
        """Draft one message of a batch; its properties stay as they are."""
        host = call.peer.host_bytes
        tag = properties.find(text.decode("utf-8", "replace"), "TAGS")
        return Draft(
            topic,
            queue_id,
            flag,
            request.sys_flag | (sysflag.BORN_HOST_V6 if len(host) > 8 else 0),
            request.born_timestamp,
            host,
            body,
            text,
            java_hash(tag) if tag else 0,
            request.reconsume_times or 0,
        )

    def _check_batch(self, request: SendFields) -> None:
        """Refuse what a batch cannot be."""
        size = len(request.body)
        if size > self._max_size:
            raise self._too_large(size)
        if request.sys_flag & _NOT_A_CLIENTS:
            raise _marked(request.sys_flag)
        if request.topic.startswith(RETRY_PREFIX):
            why = f"a batch cannot be sent to the retry topic {request.topic}"
        elif delay_level(request.properties or "") > 0:
            why = "a batch cannot be delayed"
        else:
            return
        raise Refused(ResponseCode.MESSAGE_ILLEGAL, why)

    def _queue_id(self, queue_id: int, target: Target) -> int:
        """Choose a queue for a negative id; refuse one that does not exist."""
        if queue_id < 0 and target.write_queues > 0:
            return random.randrange(target.write_queues)
        raise Refused(
            ResponseCode.INVALID_PARAMETER,
            f"request queueId[{queue_id}] is illegal: {target.topic.decode()} has"
            f" {target.queues} queues, numbered from 0, {target.write_queues} to write",
        )

    def _too_large(self, size: int) -> Refused:
        """Say that a body is larger than is stored."""
        return Refused(
            ResponseCode.MESSAGE_ILLEGAL,
            f"the message body is {size} bytes; at most {self._max_size} are stored",
        )

    def _target(self, request: SendFields, call: Call) -> Target:
        """
        Find where a topic's messages go, creating the topic if that is allowed.

        The order of the checks is the original's.
        """
        name = request.topic
        config = self._topics.get(name)
        allowed = self._config.broker_permission & PERM_WRITE
        if not allowed and (config is None or config.order):
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the broker [{self._config.broker_name}] does not take messages:"
                " its permission lacks write",
            )
        check_topic_name(name)
        if name in NOT_SENDABLE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"sending to the topic [{name}] is forbidden: it is the system's own",
            )
        if name.startswith(RETRY_PREFIX):
            return self._retry_target(request, call)
        if config is None:
            config = self._topics.create_on_send(
                name,
                request.default_topic,
                request.default_topic_queue_nums,
                0,
                call.peer.address,
            )
        target = self._targets[name] = _target_of(config)
        return target

    def _retry_target(self, request: SendFields, call: Call) -> Target:
        """
        Find where a message goes that a group tries again.

        Not to be kept: it depends on how often that was, and on the group's locks.
        """
        times, limit = request.reconsume_times or 0, request.max_reconsume_times
        config = self._retries.target(request.topic, times, limit, call)
        if config.topic_name != request.topic:
            # The queue id was chosen among those of the retry topic.
            request.queue_id = -1
        return _target_of(config)


def _flushed(outcome: FlushOutcome, answer: SendResponse) -> SendResponse:
    """Say so where the disk took longer than the message should wait for it."""
    if outcome is FlushOutcome.TIMED_OUT:
        answer.status = ResponseCode.FLUSH_DISK_TIMEOUT
    return answer


def _target_of(config: TopicConfig) -> Target:
    """Put together what a send needs to know."""
    return Target(
        config.topic_name.encode(),
        max(config.write_queue_nums, config.read_queue_nums),
        config.write_queue_nums,
    )


def _marked(sys_flag: int) -> Refused:
    """Say which bit of the system flag only a broker may set."""
    bits = ", ".join(why for bit, why in _MARKS.items() if sys_flag & bit)
    return Refused(
        ResponseCode.MESSAGE_ILLEGAL,
        f"sysFlag is {sys_flag:#x}, which says: {bits}; clients cannot send such",
    )
