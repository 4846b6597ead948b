"""The tables under ``config/``, made and loaded together."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tables.background import BackgroundFile
from rocketmq_tw.broker.tables.clients import ClientTable, MemberNotifier
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.broker.tables.queue_locks import QueueLocks
from rocketmq_tw.broker.tables.topic_journal import TopicJournal
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.threads import RunInThread


class Tables:
    """
    The tables of one broker.

    :param run_in_thread: runs the writes of files.
    :ivar folder: the folder of their files.
    """

    def __init__(
        self, config: BrokerConfig, clock: IReactorTime, run_in_thread: RunInThread
    ) -> None:
        self._run_in_thread = run_in_thread
        self._files: list[BackgroundFile] = []
        self.folder = os.path.join(config.store_path_root_dir, "config")

        self.topics = TopicTable(
            self.file("topics.json"),
            config.broker_cluster_name,
            config.broker_name,
            clock=clock,
            schedule=clock.callLater,
            default_topic_queue_nums=config.default_topic_queue_nums,
            auto_create=config.auto_create_topic_enable,
            cluster_topic=config.cluster_topic_enable,
            broker_topic=config.broker_topic_enable,
            timer_wheel=config.timer_wheel_enable,
            trace_topic=config.trace_topic,
            limit=config.max_topics,
            max_queues=config.max_queues,
            permission=config.broker_permission,
            journal=TopicJournal(
                os.path.join(self.folder, "topics.journal"), run_in_thread
            ),
        )
        self.groups = GroupTable(
            self.file("subscriptionGroup.json"),
            clock=clock,
            schedule=clock.callLater,
            auto_create=config.auto_create_subscription_group,
            limit=config.max_subscription_groups,
            max_forbidden=config.max_forbidden_topics,
        )
        self.offsets = ConsumerOffsets(
            self.file("consumerOffset.json"),
            clock=clock,
            limit=config.max_consumer_offsets,
        )
        self.progress = ConsumeProgress(config.max_pull_offsets)
        self.topics.on_change.append(self._topic_changed)
        self.clients = ClientTable(MemberNotifier(clock, self.groups), PeerLog(clock))
        self.locks = QueueLocks(clock, config.max_queue_locks)

    def file(self, name: str) -> BackgroundFile:
        """Return the document with this name, which :meth:`drain` includes."""
        made = BackgroundFile(os.path.join(self.folder, name), self._run_in_thread)
        self._files.append(made)
        return made

    def _topic_changed(self, name: str) -> None:
        """Nobody was sent anything of a topic of the same name that comes later."""
        if self.topics.get(name) is None:
            self.progress.remove_topic(name)

    def load(self) -> None:
        """
        Read the files.

        :raises DamagedDocument: a file and its backup cannot be read.
        """
        os.makedirs(self.folder, exist_ok=True)
        self.topics.load()
        self.groups.load()
        self.offsets.load()

    def save(self) -> Deferred[Any]:
        """Write all changed tables; fires when they are on disk, or cannot be."""
        self.topics.save()
        self.groups.save()
        self.offsets.save()
        return self.drain()

    def drain(self) -> Deferred[Any]:
        """Retry what could not be written before; fires like :meth:`save`."""
        drained = [file.drain() for file in self._files]
        kept = self.topics.when_kept()
        return DeferredList(drained if kept is None else [*drained, kept])
