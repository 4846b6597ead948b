"""
What a broker sends to name servers to register: its topics, as JSON or compressed.

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

Source: ``RegisterBrokerBody`` and ``TopicConfig.encode`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any

from rocketmq_tw.model.sysflag import COMPRESSED
from rocketmq_tw.model.topic import TopicConfig, TopicFilterType
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body, camel_but
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigAndMappingTable
from rocketmq_tw.wire.compression import inflate
from rocketmq_tw.wire.errors import BadField

#: Versions from here on (V5_0_0) send attributes and mappings.
MAPPINGS_SINCE = 413
#: A larger registration is refused once decompressed, in bytes.
MAX_DECOMPRESSED = 256 << 20

_LENGTH = struct.Struct(">i")


class RegisterBrokerBody(
    Body,
    frozen=True,
    rename=camel_but(topic_table="topicConfigSerializeWrapper"),
):
    """The body of REGISTER_BROKER (103)."""

    topic_table: TopicConfigAndMappingTable = TopicConfigAndMappingTable()
    filter_server_list: tuple[str, ...] = ()

    def encode_compressed(self, version: int) -> bytes:
        """
        Write the compressed form.

        :param version: the version to be sent in the request's header; from
            ``MAPPINGS_SINCE`` on attributes and mappings are written.
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
        return zlib.compress(b"".join(parts), 9)


def decode_registration(data: bytes) -> RegisterBrokerBody:
    """
    Read a registration in either form; the first byte says in which.

    :raises MalformedJson: it is neither form, or its JSON is damaged.
    :raises BadField: a member or an item is not what it should be.
    :raises BadCompression: the stream is damaged.
    :raises BodyTooLarge: it is larger than ``MAX_DECOMPRESSED`` once decompressed.
    """
    if data[:1] != b"\x78":
        return RegisterBrokerBody.decode(data)
    return _Pieces(inflate(data, COMPRESSED, MAX_DECOMPRESSED)).registration()


def crc(body: bytes) -> int:
    """
    Compute ``bodyCrc32``: CRC-32 of the body as sent, without the sign bit.

    A receiver does not check when the header holds 0 or nothing.
    """
    return zlib.crc32(body) & 0x7FFFFFFF


def encode_topic(config: TopicConfig, with_attributes: bool = True) -> str:
    """
    Write a topic as ``TopicTest 8 8 6 SINGLE_TAG {}``.

    :param with_attributes: the sixth item; 4.9 refuses texts that have it.
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
    Read what :func:`encode_topic` wrote; attributes that cannot be read are dropped.

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
    if len(items) > 5:
        try:
            attributes = fastjson.decode_as(items[5], dict[str, str])
        except (fastjson.MalformedJson, BadField):
            # Java drops them as well.
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
    """Put the length before the bytes."""
    return _LENGTH.pack(len(data)) + data


def _pieces(items: Iterable[bytes]) -> bytes:
    """Put the number of items before them, and before each its length."""
    listed = [_piece(item) for item in items]
    return _LENGTH.pack(len(listed)) + b"".join(listed)


class _Pieces:
    """A reader of the decompressed form; ``at`` is the next byte."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def registration(self) -> RegisterBrokerBody:
        """Read the whole form."""
        version = DataVersion.decode(self.piece())
        topics = [decode_topic(text.decode()) for text in self.pieces()]
        servers = fastjson.decode_as(self.piece(), tuple[str, ...])
        mappings: list[dict[str, Any]] = []
        if self.at < len(self.data):
            mappings = [
                fastjson.decode_as(text, dict[str, Any]) for text in self.pieces()
            ]
        table = TopicConfigAndMappingTable(
            {config.topic_name: config for config in topics},
            version,
            topic_queue_mapping_info_map={
                str(info.get("topic")): info for info in mappings
            },
        )
        return RegisterBrokerBody(table, servers)

    def number(self) -> int:
        """Read a length or a count."""
        end = self.at + 4
        if end > len(self.data):
            raise BadField("body", "cut short", "a length")
        (number,) = _LENGTH.unpack_from(self.data, self.at)
        self.at = end
        return int(number)

    def piece(self) -> bytes:
        """Read a length and so many bytes."""
        length = self.number()
        start, self.at = self.at, self.at + length
        if length < 0 or self.at > len(self.data):
            raise BadField("body", f"a piece of {length} bytes", "one that fits")
        return self.data[start : self.at]

    def pieces(self) -> list[bytes]:
        """Read a count and so many pieces."""
        return [self.piece() for _ in range(self.number())]
