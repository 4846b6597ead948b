"""
The topics of a broker: the predefined ones, and how others are created.

Source: ``TopicConfigManager`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rocketmq_tw.broker.errors import SystemTopic, TooManyTopics, TopicNotExist
from rocketmq_tw.broker.tables.checks import check_topic_settings, usable
from rocketmq_tw.broker.tables.document import Schedule
from rocketmq_tw.broker.tables.predefined import (
    default_topics,
    is_client_topic,
    made,
    restored_topic,
)
from rocketmq_tw.broker.tables.queue_count import QueueCount
from rocketmq_tw.broker.tables.topic_file import TopicFile
from rocketmq_tw.broker.tables.topic_journal import TopicJournal
from rocketmq_tw.clock import wall_time
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model import topic as names
from rocketmq_tw.model.topic import (
    AUTO_CREATE_TOPIC,
    FLAG_UNIT_SUB,
    PERM_INHERIT,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    check_topic_name,
    dlq_topic,
    is_retry,
    retry_topic,
)
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.topics import TopicConfigTable

__all__ = ["TopicNotExist", "TopicTable"]

_READ_WRITE = PERM_READ | PERM_WRITE


class TopicTable:
    """
    All topics of one broker, kept in ``topics.json``.

    :param clock: provides the time in the table's version.
    :param schedule: see :class:`~rocketmq_tw.broker.tables.document.Document`.
    :param auto_create: whether a send to an unknown topic creates it.
    :param limit: with so many topics none is created any more.
    :param max_queues: with so many queues of all topics none gets more.
    :param journal: keeps changes until the file has them.
    :ivar permission: the broker's; topics are registered without the rights that it
        lacks.
    :ivar refused: how many were not created because of the limit.
    :ivar queues: counts the queues of all topics.
    :ivar table: the topics by name; change it through the methods only.
    :ivar data_version: changes with every change; name servers compare it.
    :ivar on_change: called with the name of each topic that was created, changed or
        deleted.
    :ivar on_permission: called when the broker's permission has changed.
    :ivar system: the names of the system topics.
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
        trace_topic: str = "",
        limit: int = 100_000,
        max_queues: int = 1_000_000,
        journal: TopicJournal | None = None,
        permission: int = PERM_READ | PERM_WRITE,
    ) -> None:
        self._file = TopicFile(
            file,
            journal=journal,
            current=lambda: TopicConfigTable(self.table, self.data_version),
            schedule=schedule,
        )
        self._wall_time = wall_time(clock)
        self.limit = limit
        self.permission = permission
        self.refused = 0
        self.queues = QueueCount(max_queues)
        self._auto_create = auto_create
        self._lines = PeerLog(clock)
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
                trace_topic=trace_topic,
            )
        }
        self.system = names.SYSTEM_TOPICS | self._defaults.keys()
        self.table: dict[str, TopicConfig] = {}
        self.data_version = DataVersion()
        self.on_change: list[Callable[[str], None]] = []
        self.on_permission: list[Callable[[], None]] = []

    def load(self) -> None:
        """
        Read the file, and add the topics that every broker has. Blocks.

        :raises DamagedDocument: neither the file nor its backup is a table of topics.
        """
        stored = self._file.load()
        found = usable(self._file.path, stored.table, self.check)
        table = {**self._defaults, **found}
        template = table.get(AUTO_CREATE_TOPIC)
        if template is not None and not self._auto_create:
            table[AUTO_CREATE_TOPIC] = _with_perm(template, _READ_WRITE)
        self.table = table
        for config in table.values():
            self.queues.add(config)
        self.data_version = stored.version
        if table != stored.table or not stored.is_in_file:
            self._changed()

    def check(self, name: str, config: TopicConfig) -> None:
        """
        Check an entry of the file; names of the broker's own may have dots.

        :raises IllegalTopic: no topic may be called so.
        :raises BadField: a setting is out of range.
        """
        if not self.is_system(name):
            check_topic_name(name)
        check_topic_settings(name, config)

    def save(self) -> None:
        """Write the file now if it is outdated. :raises OSError: that failed."""
        self._file.save()

    def when_kept(self) -> Deferred[None] | None:
        """
        Return a Deferred that fires when a kill loses no change, or nothing can help.

        :returns: None if it loses none now.
        """
        return self._file.when_kept()

    def get(self, name: str) -> TopicConfig | None:
        """Return a topic, or None."""
        return self.table.get(name)

    def require(self, name: str) -> TopicConfig:
        """Return a topic. :raises TopicNotExist: it does not exist."""
        config = self.table.get(name)
        if config is None:
            raise TopicNotExist(name)
        return config

    def is_system(self, name: str) -> bool:
        """Return whether a topic is a system topic."""
        return name in self.system or name.startswith(names.SYSTEM_PREFIX)

    def refuse_system(self, name: str) -> None:
        """Do nothing unless a topic is a system topic. :raises SystemTopic: it is."""
        if self.is_system(name):
            raise SystemTopic(name)

    def allow_creation(self, allowed: bool, queues: int) -> None:
        """
        Let sends to unknown topics create them, or not any more.

        :param queues: how many the default topic has if it is not there yet.
        """
        self._auto_create = allowed
        if allowed:
            template = self.table.get(AUTO_CREATE_TOPIC)
            if template is None:
                template = made(AUTO_CREATE_TOPIC, queues)
            self.put(_with_perm(template, _READ_WRITE | PERM_INHERIT))

    def set_permission(self, permission: int) -> None:
        """Set the broker's permission; to name servers all topics have changed then."""
        if permission == self.permission:
            return
        self.permission = permission
        self.adopt_version(self.data_version.next(int(self._wall_time() * 1000)))
        for callback in list(self.on_permission):
            callback()

    def create_on_send(
        self,
        topic: str,
        default_topic: str,
        queue_nums: int,
        topic_sys_flag: int,
        remote: str,
    ) -> TopicConfig:
        """
        Return the topic of a send; create it from the default topic if needed.

        :param default_topic: the topic to inherit permissions from, often ``TBW102``.
        :param queue_nums: how many queues the producer requests, at most those of the
            default topic.
        :param remote: the sender's address, for the log.
        :raises IllegalTopic: it may not be called so.
        :raises TopicNotExist: it does not exist and must not be created.

        Source: ``TopicConfigManager.createTopicInSendMessageMethod``.
        """
        found = self.table.get(topic)
        if found is not None:
            return found
        check_topic_name(topic)
        template = self.table.get(default_topic)
        if template is None or not self._may_inherit(template):
            if is_retry(topic):
                return self.ensure(made(topic, 1, sys_flag=topic_sys_flag))
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
        self.put(created)
        self._lines.info(
            self._log,
            remote,
            "{remote} sent to the new topic {topic}: created with {queues} queues",
            remote=remote,
            topic=topic,
            queues=queues,
        )
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
        Return a group's retry topic; create it if needed.

        :param order: whether the group consumes in order.
        :raises IllegalTopic: the group's name is not legal.
        """
        flag = FLAG_UNIT_SUB if unit else 0
        wanted = made(retry_topic(group), queue_nums, sys_flag=flag, order=order)
        return self.ensure(wanted)

    def create_dlq(self, group: str) -> TopicConfig:
        """Return the topic of a group's dead letters; create it if needed."""
        return self.ensure(made(dlq_topic(group), 1))

    def ensure(self, wanted: TopicConfig) -> TopicConfig:
        """
        Return the topic of that name; create it as ``wanted`` if there is none.

        Of an existing topic only the flag ``order`` is changed.

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
        Create topics that have messages but are not in the table.

        The table is written a moment after a topic is created, so a crash or a full
        disk may have kept the acknowledged messages of a new topic but not the topic.
        System topics and names used by other features are ignored. The limit does not
        apply: their messages were acknowledged.

        :param queues: the ids of the queues that the store holds, by topic.
        :returns: the names of the topics created.
        """
        restored = []
        for name, ids in queues.items():
            if name in self.table:
                self.queues.add(self.table[name], ids)
                continue
            if not ids or self.is_system(name) or not is_client_topic(name):
                continue
            self._set(restored_topic(name, ids))
            restored.append(name)
        return restored

    def put(self, config: TopicConfig) -> None:
        """
        Create or change a topic; an equal one is not written again.

        :raises TooManyTopics: it is new, and no more may be created.
        :raises TooManyQueues: all topics would have too many queues.
        """
        known = self.table.get(config.topic_name)
        if known == config:
            return
        if known is None and len(self.table) >= self.limit:
            self.refused += 1
            raise TooManyTopics(config.topic_name, self.limit)
        self.queues.check(config)
        self._set(config)

    def _set(self, config: TopicConfig) -> None:
        """Create or change a topic, also beyond the limit."""
        self.table[config.topic_name] = config
        self.queues.add(config)
        self._changed(config.topic_name)

    def delete(self, name: str) -> bool:
        """Remove a topic, but not its queues. :returns: whether it existed."""
        if self.table.pop(name, None) is None:
            return False
        self.queues.remove(name)
        self._changed(name)
        return True

    def exchange(self, name: str, config: TopicConfig | None) -> None:
        """Set a topic as a slave's master has it; None removes it."""
        if config is None:
            del self.table[name]
            self.queues.remove(name)
        else:
            self.table[name] = config
            self.queues.add(config)
        for callback in list(self.on_change):
            callback(name)

    def adopt_version(self, version: DataVersion) -> None:
        """Have another version, as that of a slave's master whose topics were set."""
        self.data_version = version
        self._file.replaced()

    def _may_inherit(self, template: TopicConfig) -> bool:
        """Return whether new topics may inherit from this one."""
        if template.topic_name == AUTO_CREATE_TOPIC and not self._auto_create:
            return False
        return bool(template.perm & PERM_INHERIT)

    def _changed(self, *names: str) -> None:
        """Increment the version, schedule a write, and call ``on_change``."""
        now_ms = int(self._wall_time() * 1000)
        self.data_version = self.data_version.next(now_ms)
        self._file.changed(*names)
        for callback in list(self.on_change):
            for name in names:
                callback(name)


def _with_perm(config: TopicConfig, perm: int) -> TopicConfig:
    """Return a copy of a topic with another permission."""
    return msgspec.structs.replace(config, perm=perm)
