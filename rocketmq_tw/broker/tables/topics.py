"""
The topics of a broker: which there are at its start, and how others come about.

Source: ``TopicConfigManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.errors import TopicNotExist
from rocketmq_tw.broker.tables.document import Document, Schedule
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model import topic as names
from rocketmq_tw.model.errors import IllegalTopic
from rocketmq_tw.model.topic import (
    AUTO_CREATE_TOPIC,
    FLAG_UNIT_SUB,
    LMQ_PREFIX,
    PERM_INHERIT,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    check_topic_name,
    dlq_topic,
    is_dlq,
    is_retry,
    retry_topic,
)
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigTable

__all__ = ["TopicNotExist", "TopicTable", "default_topics"]

_READ_WRITE = PERM_READ | PERM_WRITE
_ALL = _READ_WRITE | PERM_INHERIT

#: The queues of ``SCHEDULE_TOPIC_XXXX``, one for each delay level.
DELAY_LEVELS = 18
REVIVE_QUEUES = 8
BENCHMARK_QUEUES = 1024
#: How many queues a topic gets at least that is taken in again: a producer's default.
_RESTORED_QUEUES = 4


def default_topics(
    cluster: str,
    broker_name: str,
    *,
    default_topic_queue_nums: int = 8,
    auto_create: bool = True,
    cluster_topic: bool = True,
    broker_topic: bool = True,
    timer_wheel: bool = False,
) -> Iterator[TopicConfig]:
    """
    Give the topics that a broker has from its start.

    Source: ``TopicConfigManager.init``.
    """
    yield _topic(names.SELF_TEST_TOPIC, 1)
    if auto_create:
        yield _topic(AUTO_CREATE_TOPIC, default_topic_queue_nums, _ALL)
    yield _topic(names.BENCHMARK_TOPIC, BENCHMARK_QUEUES)
    yield _topic(cluster, 16, _ALL if cluster_topic else PERM_INHERIT)
    yield _topic(broker_name, 1, _ALL if broker_topic else PERM_INHERIT)
    yield _topic(names.OFFSET_MOVED_EVENT, 1)
    yield _topic(names.SCHEDULE_TOPIC, DELAY_LEVELS)
    yield _topic(names.reply_topic(cluster), 1)
    yield _topic(names.REVIVE_LOG_PREFIX + cluster, REVIVE_QUEUES)
    yield _topic(names.SYNC_BROKER_MEMBER_PREFIX + broker_name, 1, PERM_INHERIT)
    yield _topic(names.TRANS_HALF_TOPIC, 1)
    yield _topic(names.TRANS_OP_HALF_TOPIC, 1)
    if timer_wheel:
        yield _topic(names.TIMER_TOPIC, 1)


class TopicTable:
    """
    All topics of one broker, kept in ``topics.json``.

    :param clock: dates the table's version.
    :param schedule: see :class:`~rocketmq_tw.broker.tables.document.Document`.
    :param auto_create: whether a send to an unknown topic creates it.
    :ivar table: the topics by name; change it through the methods only.
    :ivar data_version: changes with every change; name servers compare it.
    :ivar on_change: called with each topic created or changed, with None when one was
        deleted.
    :ivar system: names of the topics that are the system's own.
    """

    _log = Logger()

    def __init__(
        self,
        file: JsonFile,
        cluster: str,
        broker_name: str,
        *,
        clock: IReactorTime,
        schedule: Schedule | None = None,
        default_topic_queue_nums: int = 8,
        auto_create: bool = True,
        cluster_topic: bool = True,
        broker_topic: bool = True,
        timer_wheel: bool = False,
    ) -> None:
        self._file = file
        self._clock = clock
        self._auto_create = auto_create
        self._document = Document(file, self._encode, schedule)
        self._defaults = {
            config.topic_name: config
            for config in default_topics(
                cluster,
                broker_name,
                default_topic_queue_nums=default_topic_queue_nums,
                auto_create=auto_create,
                cluster_topic=cluster_topic,
                broker_topic=broker_topic,
                timer_wheel=timer_wheel,
            )
        }
        self.system = names.SYSTEM_TOPICS | self._defaults.keys()
        self.table: dict[str, TopicConfig] = {}
        self.data_version = DataVersion()
        self.on_change: list[Callable[[TopicConfig | None], None]] = []

    def load(self) -> None:
        """
        Read the file, and add the topics that every broker has. Blocks.

        :raises DamagedDocument: the file and its backup cannot be read.
        :raises BadField: it is JSON, but no table of topics.
        """
        text = self._file.load_bytes()
        stored = TopicConfigTable() if text is None else TopicConfigTable.decode(text)
        table = {**self._defaults, **stored.topic_config_table}
        template = table.get(AUTO_CREATE_TOPIC)
        if template is not None and not self._auto_create:
            table[AUTO_CREATE_TOPIC] = _with_perm(template, _READ_WRITE)
        self.table = table
        self.data_version = stored.data_version
        if table != stored.topic_config_table:
            self._changed()

    def save(self) -> None:
        """Write the file now if it is behind. :raises OSError: it could not be."""
        self._document.save()

    def get(self, name: str) -> TopicConfig | None:
        """Look a topic up."""
        return self.table.get(name)

    def require(self, name: str) -> TopicConfig:
        """
        Look a topic up that must be there.

        :raises TopicNotExist: it is not.
        """
        config = self.table.get(name)
        if config is None:
            raise TopicNotExist(name)
        return config

    def is_system(self, name: str) -> bool:
        """Tell whether a topic is the system's own."""
        return name in self.system or name.startswith(names.SYSTEM_PREFIX)

    def create_on_send(
        self,
        topic: str,
        default_topic: str,
        queue_nums: int,
        topic_sys_flag: int,
        remote: str,
    ) -> TopicConfig:
        """
        Give the topic of a send, creating it after the default topic if need be.

        :param default_topic: whose permissions it inherits, usually ``TBW102``.
        :param queue_nums: how many queues the producer wishes; the default topic has
            the last word.
        :param remote: who sent, for the log.
        :raises IllegalTopic: it may not be called so.
        :raises TopicNotExist: it may not be created.

        Source: ``TopicConfigManager.createTopicInSendMessageMethod``.
        """
        found = self.table.get(topic)
        if found is not None:
            return found
        check_topic_name(topic)
        template = self.table.get(default_topic)
        if template is None or not self._may_inherit(template):
            if is_retry(topic):
                return self.ensure(_topic(topic, 1, sys_flag=topic_sys_flag))
            raise TopicNotExist(topic)
        queues = max(0, min(queue_nums, template.write_queue_nums))
        created = TopicConfig(
            topic,
            read_queue_nums=queues,
            write_queue_nums=queues,
            perm=template.perm & ~PERM_INHERIT,
            topic_filter_type=template.topic_filter_type,
            topic_sys_flag=topic_sys_flag,
        )
        self._log.info(
            "{remote} sent to the new topic {topic}: created with {queues} queues",
            remote=remote,
            topic=topic,
            queues=queues,
        )
        self.put(created)
        return created

    def create_retry(
        self,
        group: str,
        queue_nums: int = 1,
        *,
        order: bool = False,
        unit: bool = False,
    ) -> TopicConfig:
        """
        Give a group's retry topic, creating it if need be.

        :param order: whether the group consumes in order.
        :raises IllegalTopic: the group's name is none.
        """
        flag = FLAG_UNIT_SUB if unit else 0
        wanted = _topic(retry_topic(group), queue_nums, sys_flag=flag, order=order)
        return self.ensure(wanted)

    def create_dlq(self, group: str) -> TopicConfig:
        """Give the topic of a group's dead letters, creating it if need be."""
        return self.ensure(_topic(dlq_topic(group), 1))

    def ensure(self, wanted: TopicConfig) -> TopicConfig:
        """
        Give the topic of that name, creating it as wanted if there is none.

        One that is there is changed only to be ordered, or no longer.

        :raises IllegalTopic: it may not be called so.

        Source: ``TopicConfigManager.createTopicInSendMessageBackMethod``.
        """
        found = self.table.get(wanted.topic_name)
        if found is None:
            check_topic_name(wanted.topic_name)
        elif found.order == wanted.order:
            return found
        else:
            wanted = msgspec.structs.replace(found, order=wanted.order)
        self.put(wanted)
        return wanted

    def restore(self, queues: Mapping[str, Sequence[int]]) -> list[str]:
        """
        Take in topics that have messages and are not in the table.

        The table follows its topics to disk a moment later, so a kill or a full disk
        may have kept the messages of a new topic and not the topic; they were
        acknowledged. System topics and names of other features are passed over.

        :param queues: the ids of the queues that the store holds, by topic.
        :returns: the names that were taken in.
        """
        restored = []
        for name, ids in queues.items():
            if name in self.table or not ids or self._is_alien(name):
                continue
            least = 1 if is_retry(name) or is_dlq(name) else _RESTORED_QUEUES
            self.put(_topic(name, max(*ids, least - 1) + 1))
            restored.append(name)
        return restored

    def _is_alien(self, name: str) -> bool:
        """Tell whether a queue's name is not one of a topic that clients send to."""
        try:
            check_topic_name(name)
        except IllegalTopic:
            return True
        return self.is_system(name) or name.startswith(LMQ_PREFIX)

    def put(self, config: TopicConfig) -> None:
        """Create a topic, or change it; nothing happens if it is like that already."""
        if self.table.get(config.topic_name) == config:
            return
        self.table[config.topic_name] = config
        self._changed(config)

    def delete(self, name: str) -> bool:
        """Forget a topic; its queues are the store's. :returns: whether it was here."""
        if self.table.pop(name, None) is None:
            return False
        self._changed()
        return True

    def _may_inherit(self, template: TopicConfig) -> bool:
        """Tell whether topics may be created after this one."""
        if template.topic_name == AUTO_CREATE_TOPIC and not self._auto_create:
            return False
        return bool(template.perm & PERM_INHERIT)

    def _changed(self, config: TopicConfig | None = None) -> None:
        """Count the version up, write soon, and tell who wants to know."""
        now_ms = int(self._clock.seconds() * 1000)
        self.data_version = self.data_version.next(now_ms)
        self._document.changed()
        for callback in list(self.on_change):
            callback(config)

    def _encode(self) -> bytes:
        """Write ``topics.json``."""
        return fastjson.dumps(TopicConfigTable(self.table, self.data_version))


def _topic(
    name: str,
    queues: int,
    perm: int = _READ_WRITE,
    sys_flag: int = 0,
    order: bool = False,
) -> TopicConfig:
    """Make a topic with as many queues to read as to write."""
    return TopicConfig(name, queues, queues, perm, topic_sys_flag=sys_flag, order=order)


def _with_perm(config: TopicConfig, perm: int) -> TopicConfig:
    """Copy a topic with other permissions."""
    return msgspec.structs.replace(config, perm=perm)
