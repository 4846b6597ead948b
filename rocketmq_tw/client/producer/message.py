"""
Prepares a message for sending: checks it, adds a unique key, compresses the body.

The caller's message is never changed. The prepared message is the same for all
attempts; each attempt has its own request header, because another broker has other
queues.

Source: ``DefaultMQProducerImpl.sendKernelImpl``, ``Validators`` and ``MessageBatch`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from rocketmq_tw.client.compression import IN_THREAD_FROM, CompressType, compress
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.publish import DEFAULT_QUEUES
from rocketmq_tw.model.errors import IllegalName
from rocketmq_tw.model.message import (
    DELAY,
    MAX_RECONSUME_TIMES,
    MSG_TYPE,
    RECONSUME_TIME,
    REPLY,
    TIMERS,
    TRAN_MSG,
    UNIQ_KEY,
    WAIT,
    Message,
)
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.sysflag import PREPARED
from rocketmq_tw.model.topic import (
    AUTO_CREATE_TOPIC,
    NOT_SENDABLE,
    check_topic_name,
    is_retry,
)
from rocketmq_tw.wire import batch, properties
from rocketmq_tw.wire.requests.reply import SendReplyMessageV2
from rocketmq_tw.wire.requests.send import SendBatchMessage, SendMessageV2

#: On disk the length of the properties text has two bytes, signed.
MAX_PROPERTIES = 32767

#: Properties that brokers ignore in the messages of a batch, or refuse.
_NOT_IN_BATCHES = TIMERS | {DELAY, TRAN_MSG}
#: How many topics are cached as checked.
_MAX_CHECKED = 4096
#: How many tags have their properties cached as text.
MAX_STARTS = 256


class LargeBody(Exception):
    """A body takes long to compress, and is to be compressed in a thread."""


class BatchPart(NamedTuple):
    """
    One message of a batch.

    :ivar key: its unique key, which is in its properties, too.
    :ivar properties: as text.
    """

    key: str
    flag: int
    body: bytes
    properties: str

    @property
    def size(self) -> int:
        """How many bytes it takes in a batch."""
        return batch.size_of(self.body, self.properties)


class Prepared(msgspec.Struct):
    """
    A prepared message or batch.

    :ivar size: bytes of memory that it uses while it is in flight.
    :ivar is_plain: whether only queue, flags, times and properties of its request
        differ from those of other messages of the same kind to the topic.
    """

    topic: str
    message_id: str
    body: bytes
    properties: str
    size: int
    sys_flag: int = 0
    flag: int = 0
    reconsume_times: int = 0
    max_reconsume_times: int | None = None
    kind: type[SendMessageV2] = SendMessageV2
    is_plain: bool = False

    def request(self, group: str, queue: MessageQueue, now: float) -> SendMessageV2:
        """
        Return the request of one attempt.

        :param now: seconds since the epoch.
        """
        return self.kind(
            body=self.body,
            producer_group=group,
            topic=self.topic,
            default_topic=AUTO_CREATE_TOPIC,
            default_topic_queue_nums=DEFAULT_QUEUES,
            queue_id=queue.queue_id,
            sys_flag=self.sys_flag,
            born_timestamp=int(now * 1000),
            flag=self.flag,
            properties=self.properties,
            reconsume_times=self.reconsume_times,
            unit_mode=False,
            max_reconsume_times=self.max_reconsume_times,
            batch=self.kind is SendBatchMessage,
            broker_name=queue.broker_name,
        )


class Preparation:
    """
    Prepares the messages of one producer.

    :param next_key: returns a new unique key.
    :param max_size: bytes; the largest body before compression, or batch.
    :param compress_from: bodies of at least this size are compressed, unless that
        makes them larger.
    :param in_thread_from: those of at least this size are to be compressed in a thread.
    """

    def __init__(
        self,
        next_key: Callable[[], str],
        *,
        max_size: int,
        compress_from: int,
        compress_level: int,
        compress_type: CompressType = "zlib",
        in_thread_from: int = IN_THREAD_FROM,
    ) -> None:
        self._next_key = next_key
        self._max_size = max_size
        self._compress_from = compress_from
        self._compress_level = compress_level
        self._compress_type = compress_type
        self._in_thread_from = in_thread_from
        self._checked: set[str] = set()
        self._starts: dict[tuple[str | None, bool], str] = {}

    def compress(self, body: bytes) -> tuple[bytes, int]:
        """Return a body as it is sent, and its flags; may be called in a thread."""
        return compress(body, self._compress_level, self._compress_type)

    def is_large(self, message: Message) -> bool:
        """Whether a message's body is to be compressed in a thread."""
        return len(message.body) >= max(self._compress_from, self._in_thread_from)

    def one(
        self, message: Message, compressed: tuple[bytes, int] | None = None
    ) -> Prepared:
        """
        Prepare one message.

        :param compressed: its body as it is sent, and the flags; None compresses it.
        :raises ValidationError: the message is not valid.
        :raises LargeBody: it is, and its body is to be compressed in a thread.
        """
        self._check(message)
        body, sys_flag, times, limit = message.body, 0, 0, None
        kind = SendMessageV2
        if len(body) >= self._compress_from:
            if compressed is None and self.is_large(message):
                raise LargeBody
            body, sys_flag = compressed or self.compress(body)
        if (
            message.properties
            or message.keys
            or message.delay_level
            or message.delay is not None
            or message.deliver_at is not None
            or message.priority is not None
        ):
            wire = _wire_properties(message)
            key = wire[UNIQ_KEY] = wire.get(UNIQ_KEY) or self._next_key()
            if is_retry(message.topic):
                times = _number(wire, RECONSUME_TIME) or 0
                limit = _number(wire, MAX_RECONSUME_TIMES)
            text = _properties_text(wire)
            if TRAN_MSG in wire and wire[TRAN_MSG].lower() == "true":
                sys_flag |= PREPARED
            if wire.get(MSG_TYPE) == REPLY:
                kind = SendReplyMessageV2
        else:
            key = self._next_key()
            text = self._text_without_properties(message, key)
        return Prepared(
            topic=message.topic,
            message_id=key,
            body=body,
            properties=text,
            size=len(body) + len(text),
            sys_flag=sys_flag,
            flag=message.flag,
            reconsume_times=times,
            max_reconsume_times=limit,
            kind=kind,
            is_plain=not times and limit is None,
        )

    def _text_without_properties(self, message: Message, key: str) -> str:
        """
        Encode the properties of a message that has none of its own but a tag.

        All but the unique key is the same for many messages: 1.1 µs less.
        """
        start = self._starts.get((message.tag, message.wait_store))
        if start is None:
            text = _properties_text({**message.wire_properties(), UNIQ_KEY: key})
            if len(self._starts) >= MAX_STARTS:
                self._starts.clear()
            # All keys are equally long, so the length need not be checked again.
            start = text[: -len(key) - len(properties.PAIR_END)]
            self._starts[message.tag, message.wait_store] = start
        return f"{start}{key}{properties.PAIR_END}"

    def part(self, message: Message, first: Message) -> BatchPart:
        """
        Prepare one message of a batch that begins with ``first``.

        :raises ValidationError: it is not valid, or cannot be in that batch.
        """
        self._check(message)
        _check_fits(message, first)
        wire = _wire_properties(message)
        key = wire[UNIQ_KEY] = wire.get(UNIQ_KEY) or self._next_key()
        return BatchPart(key, message.flag, message.body, _properties_text(wire))

    def batch(self, messages: Sequence[Message]) -> Prepared:
        """
        Prepare a batch: one request, one response. The bodies are not compressed.

        :raises ValidationError: the messages cannot be combined, or are too large.
        """
        if not messages:
            raise ValidationError("the batch is empty")
        first = messages[0]
        return self.of_parts([self.part(each, first) for each in messages], first)

    def of_parts(self, parts: Sequence[BatchPart], first: Message) -> Prepared:
        """
        Prepare the batch of these parts, which begins with ``first``.

        :raises ValidationError: it is too large.
        """
        body = batch.encode((each.flag, each.body, each.properties) for each in parts)
        if len(body) > self._max_size:
            raise ValidationError(
                f"the batch is {len(body)} bytes long; the limit is {self._max_size}"
            )
        # Brokers add these to every item: a unique key here would hide the items' own
        # keys.
        text = "" if first.wait_store else properties.encode({WAIT: "false"})
        return Prepared(
            topic=first.topic,
            message_id=",".join(each.key for each in parts),
            body=body,
            properties=text,
            size=len(body),
            kind=SendBatchMessage,
        )

    def _check(self, message: Message) -> None:
        """Check the rules for all messages."""
        if message.topic not in self._checked:
            self._check_topic(message.topic)
        if not isinstance(message.body, bytes):
            found = type(message.body).__name__
            raise ValidationError(f"the body is of type {found}; expected bytes")
        size = len(message.body)
        if not size:
            raise ValidationError("the body is empty; brokers do not accept that")
        if size > self._max_size:
            raise ValidationError(
                f"the body is {size} bytes long; the limit is {self._max_size}"
            )

    def _check_topic(self, topic: str) -> None:
        """Check a topic's name, once."""
        try:
            check_topic_name(topic)
        except IllegalName as error:
            raise ValidationError(str(error)) from error
        if topic in NOT_SENDABLE:
            raise ValidationError(
                f'"{topic}" is a system topic: clients cannot send to it'
            )
        if len(self._checked) >= _MAX_CHECKED:
            self._checked.clear()
        self._checked.add(topic)


def _check_fits(message: Message, first: Message) -> None:
    """Check the properties that the messages of a batch must share."""
    if message.topic != first.topic:
        raise ValidationError(
            f'the batch mixes the topics "{first.topic}" and "{message.topic}"'
        )
    if message.wait_store != first.wait_store:
        raise ValidationError("the batch mixes messages that wait for the store or not")
    is_delayed = message.delay_level or message.is_timed
    if is_delayed or not _NOT_IN_BATCHES.isdisjoint(message.properties):
        raise ValidationError(
            "the batch holds a message that is delayed, or part of a transaction; send"
            " it by itself"
        )
    if is_retry(message.topic):
        raise ValidationError("messages to a retry topic cannot be sent as a batch")


def _wire_properties(message: Message) -> dict[str, str]:
    """Return the properties; at most one of them may say when it is delivered."""
    has_time = message.delay is not None or message.deliver_at is not None
    if not has_time and message.priority is None:
        return message.wire_properties()
    wishes = (message.delay, message.deliver_at, message.delay_level or None)
    if sum(wish is not None for wish in wishes) > 1:
        raise ValidationError("delay, deliver_at and delay_level exclude one another")
    if message.priority is not None:
        _check_number("priority", message.priority, (int,), "0 or more")
    if message.delay is not None:
        _check_number("delay", message.delay, (int, float), "seconds")
    if message.deliver_at is not None:
        kinds = (int, float, datetime)
        _check_number("deliver_at", message.deliver_at, kinds, "a datetime or seconds")
    try:
        return message.wire_properties()
    except (ValueError, OverflowError, OSError) as error:
        raise ValidationError(f"no time of delivery: {error}") from None


def _check_number(
    name: str, value: object, kinds: tuple[type, ...], expected: str
) -> None:
    """Check a field that becomes a number; a priority is not below 0."""
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    if not is_number or (name == "priority" and value < 0):  # type: ignore[operator]
        raise ValidationError(f"the {name} is {value!r}; expected {expected}")


def _number(wire: dict[str, str], name: str) -> int | None:
    """Remove a number from the properties, for the header."""
    text = wire.pop(name, None)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise ValidationError(f"{name} is {text!r}; expected a number") from None


def _properties_text(wire: dict[str, str]) -> str:
    """Encode the properties; refuse names and values that cannot be encoded."""
    text = properties.encode(wire)
    if text.count("\x01") != len(wire) or text.count("\x02") != len(wire):
        raise ValidationError("a property's name or value holds a 0x01 or 0x02")
    if "" in wire or "" in wire.values():
        raise ValidationError("a property's name or value is empty, and would be lost")
    if len(text) * 4 > MAX_PROPERTIES and len(text.encode()) > MAX_PROPERTIES:
        raise ValidationError(f"the properties are over {MAX_PROPERTIES} bytes long")
    return text
