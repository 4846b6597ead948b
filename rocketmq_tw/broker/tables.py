"""
What a broker knows beside its messages: the tables under ``config/``, made and loaded
together.
"""

from __future__ import annotations

import os

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.broker.clients import ClientTable, MemberNotifier
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.groups import GroupTable
from rocketmq_tw.broker.offsets import ConsumerOffsets
from rocketmq_tw.broker.queue_locks import QueueLocks
from rocketmq_tw.broker.topics import TopicTable
from rocketmq_tw.jsonfile import JsonFile


class Tables:
    """
    The tables of one broker.

    :ivar folder: where their files are.
    """

    def __init__(self, config: BrokerConfig, clock: IReactorTime) -> None:
        self.folder = os.path.join(config.store_path_root_dir, "config")

        def soon(write: object) -> object:
            return clock.callLater(0, write)  # type: ignore[arg-type]

        self.topics = TopicTable(
            self.file("topics.json"),
            config.broker_cluster_name,
            config.broker_name,
            clock=clock,
            schedule=soon,
            default_topic_queue_nums=config.default_topic_queue_nums,
            auto_create=config.auto_create_topic_enable,
            cluster_topic=config.cluster_topic_enable,
            broker_topic=config.broker_topic_enable,
        )
        self.groups = GroupTable(
            self.file("subscriptionGroup.json"),
            clock=clock,
            schedule=soon,
            auto_create=config.auto_create_subscription_group,
        )
        self.offsets = ConsumerOffsets(self.file("consumerOffset.json"), clock=clock)
        self.clients = ClientTable(clock, MemberNotifier(clock, self.groups))
        self.locks = QueueLocks(clock)

    def file(self, name: str) -> JsonFile:
        """Give the document of that name."""
        return JsonFile(os.path.join(self.folder, name))

    def load(self) -> None:
        """
        Read the files.

        :raises DamagedDocument: one cannot be read, nor its backup.
        """
        os.makedirs(self.folder, exist_ok=True)
        self.topics.load()
        self.groups.load()
        self.offsets.load()

    def save(self) -> None:
        """Write what has changed."""
        self.topics.save()
        self.groups.save()
        self.offsets.save()
