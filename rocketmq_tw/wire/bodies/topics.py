"""
Tables and lists of topics.

Source: ``TopicConfigSerializeWrapper``, ``TopicConfigAndMappingSerializeWrapper`` and
``TopicList`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.entries import fill

_NO_TOPICS = b'"topicConfigTable":{}'


def encode_entry(config: TopicConfig) -> bytes:
    """Encode an entry of a table of topics: the name, a colon, the settings."""
    encode = fastjson.dumps_plain
    return b"%b:%b" % (encode(config.topic_name), encode(config))


def with_entries(body: bytes, entries: Iterable[bytes]) -> bytes:
    """
    Put entries into an encoded body whose table of topics is empty.

    :param entries: of :func:`encode_entry`, or several of them joined by commas.
    """
    return fill(body, _NO_TOPICS, entries)


class TopicConfigTable(Body, frozen=True):
    """All topics of a broker: ``topics.json``, and the response of 4.9 to code 21."""

    topic_config_table: dict[str, TopicConfig] = {}
    data_version: DataVersion = DataVersion()


class TopicConfigAndMappingTable(TopicConfigTable, frozen=True):
    """
    All topics of a broker with its static topics: for registrations, and code 21 of
    5.x.

    4.9 ignores the additional members. The mappings are not interpreted.
    """

    mapping_data_version: DataVersion = DataVersion()
    topic_queue_mapping_info_map: dict[str, Any] = {}
    topic_queue_mapping_detail_map: dict[str, Any] = {}


class TopicConfigList(Body, frozen=True):
    """The body of UPDATE_AND_CREATE_TOPIC_LIST (18); attributes have a sign."""

    topic_config_list: tuple[TopicConfig, ...] = ()


class TopicList(Body, frozen=True):
    """
    Names of topics; some responses also contain the broker's address.

    It is the body of DELETE_TOPIC_IN_BROKER_LIST (5002), too.
    """

    topic_list: tuple[str, ...] = ()
    broker_addr: str | None = None
