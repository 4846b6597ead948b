"""
The body of a broker's registration: its topics, as JSON or compressed.

The compressed form is one zlib stream around::

    +-------------+-----------------------------------------+
    | int32 n     | DataVersion as JSON, n bytes            |
    | int32 count | topics                                  |
    |   int32 n   |   "name read write perm filter [attrs]" | for each topic
    | int32 n     | filter servers: JSON array of text      |
    | int32 count | mappings of static topics               | from 5.0.0 on
    |   int32 n   |   mapping as JSON                       | for each mapping
    +-------------+-----------------------------------------+

``order`` and ``topicSysFlag`` get lost in it. 4.9 receivers insist on five items a
topic, so no attributes may be sent to them. The reader looks at the first byte, because
the header's ``compressed`` is not reliable, and at what is left instead of the version.
It inflates piece by piece: a broken stream costs no more than what was whole of it.

Source: ``RegisterBrokerBody`` and ``TopicConfig.encode`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import msgspec

from rocketmq_tw.model.topic import TopicConfig, TopicFilterType
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body, camel_but
from rocketmq_tw.wire.bodies.cut import cut_in_steps
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.compression import ZlibReader
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.request_json import LARGEST, SMALL, decode_request

#: Versions from this one (V5_0_0) on send attributes and mappings.
MAPPINGS_SINCE = 413
#: A registration that inflates to more bytes is refused: 50,000 topics take some 5 MB.
MAX_INFLATED = 32 << 20

#: How many topics are decoded in one step, if they are short: some 3 ms.
STEP = 1000
#: The longest topic, in bytes, and the longest name of one, in characters; brokers let
#: names have 127.
LONGEST_TOPIC, LONGEST_NAME = 16 << 10, 255
#: The most bytes of all mappings: decoded they take ten times as many.
MAX_MAPPINGS = 1 << 20

_LENGTH = struct.Struct(">i")
#: The shortest topic is "T 1 1 6 ", behind its length.
_LEAST_TOPIC = _LENGTH.size + len("T 1 1 6 ")


class RegisterBrokerBody(
    Body,
    frozen=True,
    rename=camel_but(topic_table="topicConfigSerializeWrapper"),
):
    """
    The body of REGISTER_BROKER (103).

    :ivar deleted_topics: the topics that the broker has deleted; an extension, which
        others ignore.
    """

    topic_table: TopicConfigAndMappingTable = TopicConfigAndMappingTable()
    filter_server_list: tuple[str, ...] = ()
    deleted_topics: tuple[str, ...] | None = None

    def encode_compressed(self, version: int, level: int = 9) -> bytes:
        """
        Encode the compressed form.

        :param version: the version in the request's header; from
            ``MAPPINGS_SINCE`` on attributes and mappings are written.
        :param level: of zlib; 9 is that of Apache's brokers.
        """
        table = self.topic_table
        with_mappings = version >= MAPPINGS_SINCE
        topics = [
            encode_topic(config, with_attributes=with_mappings).encode()
            for _, config in sorted(table.topic_config_table.items())
        ]
        parts = [
            _piece(table.data_version.encode()),
            _pieces(topics),
            _piece(fastjson.dumps(self.filter_server_list)),
        ]
        if with_mappings:
            infos = table.topic_queue_mapping_info_map.values()
            parts.append(_pieces(fastjson.dumps(info) for info in infos))
        return zlib.compress(b"".join(parts), level)


def decode_registration(
    data: bytes, max_inflated: int = MAX_INFLATED
) -> RegisterBrokerBody:
    """
    Decode a registration in either form, which the first byte shows.

    :param max_inflated: the largest size, in bytes, of a compressed one.
    :raises MalformedJson: it is neither form, or its JSON is damaged.
    :raises BadField: a member or an item cannot be converted.
    :raises BadCompression: the stream is damaged.
    :raises BodyTooLarge: it inflates to more than the limit.
    """
    steps = decode_in_steps(data, max_inflated)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        body: RegisterBrokerBody = end.value
        return body


def decode_in_steps(
    data: bytes, max_inflated: int = MAX_INFLATED, max_topics: int = 1 << 31
) -> Generator[None, None, RegisterBrokerBody]:
    """
    Decode like :func:`decode_registration`, :data:`STEP` topics in a step.

    A step takes as many milliseconds as 64 KiB of the least favourable text. The
    attributes of topics are left out if there are many: name servers do not use them,
    and 300 KiB of a compressed registration may have 4 million.

    :param max_topics: the most topics that it may have.
    :returns: of the generator: the registration.
    """
    if data[:1] == b"\x78":
        return (yield from _Pieces(ZlibReader(data, max_inflated), max_topics).steps())
    if len(data) <= SMALL:
        body = RegisterBrokerBody.decode(data)
        for config in body.topic_table.topic_config_table.values():
            _used(config)
        return body
    return (yield from _json_steps(data, max_topics))


def _json_steps(
    data: bytes, max_topics: int
) -> Generator[None, None, RegisterBrokerBody]:
    """Decode a large text: its two tables in steps, then what is beside them."""
    topics, data = yield from cut_in_steps(
        data, "topicConfigTable", TopicConfig, max_topics, keep=_used
    )
    mappings, data = yield from cut_in_steps(
        data,
        "topicQueueMappingInfoMap",
        dict[str, Any],
        max_topics,
        max_size=MAX_MAPPINGS,
    )
    body = RegisterBrokerBody.decode_request(data)
    topics |= body.topic_table.topic_config_table
    mappings |= body.topic_table.topic_queue_mapping_info_map
    table = msgspec.structs.replace(
        body.topic_table,
        topic_config_table=topics,
        topic_queue_mapping_info_map=mappings,
    )
    return msgspec.structs.replace(body, topic_table=table)


def _used(config: TopicConfig) -> TopicConfig:
    """Return what name servers use of a topic. :raises BadField: its name is long."""
    length = len(config.topic_name)
    if length > LONGEST_NAME:
        most = f"{LONGEST_NAME} at most"
        raise BadField("topicName", f"a text of {length} characters", most)
    if not config.attributes:
        return config
    return msgspec.structs.replace(config, attributes={})


def _too_many(limit: int) -> BadField:
    """Return the error for a registration of too many topics."""
    return BadField("topicConfigTable", f"more than {limit} topics", "fewer")


def crc(body: bytes) -> int:
    """
    Return ``bodyCrc32``: the CRC-32 of the body as sent, without the sign bit.

    A receiver does not check it if the header has 0 or no value.
    """
    return zlib.crc32(body) & 0x7FFFFFFF


def encode_topic(config: TopicConfig, with_attributes: bool = True) -> str:
    """
    Encode a topic as ``TopicTest 8 8 6 SINGLE_TAG {}``.

    :param with_attributes: include the sixth item, which 4.9 refuses.
    """
    text = (
        f"{config.topic_name} {config.read_queue_nums} {config.write_queue_nums}"
        f" {config.perm} {config.topic_filter_type.value}"
    )
    if not with_attributes:
        return text
    return f"{text} {fastjson.dumps(config.attributes).decode()}"


def decode_topic(text: str) -> TopicConfig:
    """
    Decode the output of :func:`encode_topic`; malformed attributes are dropped.

    :raises BadField: there are fewer than five items, or one is not a number.
    """
    items = text.split(" ", 5)
    try:
        name, read, write, perm, kind = items[:5]
        read_queues, write_queues, permission = int(read), int(write), int(perm)
    except ValueError:
        raise BadField("topicConfig", repr(text[:80]), "five items or six") from None
    filter_type = TopicFilterType.MULTI_TAG
    if kind != filter_type.value:
        filter_type = TopicFilterType.SINGLE_TAG
    attributes: dict[str, str] = {}
    if len(items) > 5 and items[5] != "{}":
        try:
            attributes = fastjson.decode_as(items[5], dict[str, str])
        except (fastjson.MalformedJson, BadField):
            # Java drops them too.
            attributes = {}
    return TopicConfig(
        name,
        read_queues,
        write_queues,
        permission,
        filter_type,
        attributes=attributes,
    )


def _piece(data: bytes) -> bytes:
    """Return the bytes with their length before them."""
    return _LENGTH.pack(len(data)) + data


def _pieces(items: Iterable[bytes]) -> bytes:
    """Return the number of items, then each item with its length before it."""
    listed = [_piece(item) for item in items]
    return _LENGTH.pack(len(listed)) + b"".join(listed)


class _Pieces:
    """A reader of the compressed form."""

    def __init__(self, stream: ZlibReader, max_topics: int) -> None:
        self._stream = stream
        self._max_topics = max_topics

    def steps(self) -> Generator[None, None, RegisterBrokerBody]:
        """Decode the whole form."""
        version = DataVersion.decode_request(self.piece())
        topics: dict[str, TopicConfig] = {}
        size = 0
        for count, text in enumerate(self.pieces(_LEAST_TOPIC, LONGEST_TOPIC), 1):
            # The sixth item is the attributes.
            five = b" ".join(text.split(b" ", 5)[:5])
            config = _used(decode_topic(five.decode("utf-8", "replace")))
            topics[config.topic_name] = config
            size += len(text)
            if size >= SMALL or not count % STEP:
                size = 0
                yield
        yield
        servers = decode_request(self.piece(), tuple[str, ...])
        mappings: dict[str, Any] = {}
        if self._stream.has_more():
            size = 0
            for text in self.pieces(_LENGTH.size):
                size += len(text)
                if size > MAX_MAPPINGS:
                    found, most = f"mappings of {size} bytes", f"{MAX_MAPPINGS} at most"
                    raise BadField("body", found, most)
                info = decode_request(text, dict[str, Any])
                mappings[str(info.get("topic"))] = info
                yield
        self._stream.has_more()
        table = TopicConfigAndMappingTable(
            topics, version, topic_queue_mapping_info_map=mappings
        )
        return RegisterBrokerBody(table, servers)

    def number(self) -> int:
        """Read a length or a count."""
        data = self._stream.read(_LENGTH.size)
        if len(data) < _LENGTH.size:
            raise BadField("body", "cut short", "a length")
        (number,) = _LENGTH.unpack(data)
        return int(number)

    def piece(self, longest: int = LARGEST) -> bytes:
        """Decode a length and return that many bytes."""
        length, most = self.number(), min(self._stream.left, longest)
        fits = 0 <= length <= most
        data = self._stream.read(length) if fits else b""
        if not fits or len(data) < length:
            raise BadField("body", f"a piece of {length} bytes", f"{most} at most")
        return data

    def pieces(self, least: int, longest: int = LARGEST) -> Iterator[bytes]:
        """Read a count, and so many pieces of so many bytes each, one by one."""
        count = self.number()
        if count * least > self._stream.left:
            raise BadField("body", f"{count} pieces", "as many as fit")
        if count > self._max_topics:
            raise _too_many(self._max_topics)
        for _ in range(count):
            yield self.piece(longest)
