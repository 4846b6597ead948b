"""All processors of a broker, made from its parts and given their requests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay.schedule import DelayLevels, ScheduleService
from rocketmq_tw.broker.processors.admin.group import GroupProcessor
from rocketmq_tw.broker.processors.admin.info import InfoProcessor
from rocketmq_tw.broker.processors.admin.topic import TopicProcessor
from rocketmq_tw.broker.processors.heartbeat import HeartbeatProcessor
from rocketmq_tw.broker.processors.lock import LockProcessor
from rocketmq_tw.broker.processors.offset import OffsetProcessor
from rocketmq_tw.broker.processors.query import QueryProcessor
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.pull.processor import PullProcessor
from rocketmq_tw.broker.send.processor import SendProcessor
from rocketmq_tw.broker.send.send_back import RetryRules
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.model.msgid import UniqueKeys
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.settings import to_properties
from rocketmq_tw.store.interfaces import IMessageStore


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the processors are made from; each takes only what it uses.

    :ivar store_host: the broker's address, packed.
    :ivar announce: tells the name servers the topics; fires once they know.
    """

    config: BrokerConfig
    clock: Any
    store: IMessageStore
    tables: Tables
    held: HeldPulls
    levels: DelayLevels
    schedule: ScheduleService
    stats: BrokerStats
    store_host: bytes
    address: str
    announce: Callable[[], Deferred[None]]


def register(parts: Parts, router: Router) -> None:
    """Make all processors, and let ``router`` know them."""
    config, tables, store = parts.config, parts.tables, parts.store
    topics, groups, offsets = tables.topics, tables.groups, tables.offsets
    retries = RetryRules(
        store,
        topics,
        groups,
        parts.levels,
        tables.locks.is_locked,
        parts.store_host,
        config.broker_permission,
    )
    everyone: list[Any] = [
        SendProcessor(
            config,
            store,
            topics,
            groups,
            retries,
            parts.levels,
            parts.stats,
            parts.store_host,
            _unique_keys(parts),
        ),
        PullProcessor(
            config,
            store,
            topics,
            groups,
            offsets,
            tables.clients,
            parts.held,
            parts.stats,
        ),
        retries,
        HeartbeatProcessor(tables.clients, topics, groups),
        OffsetProcessor(store, offsets, topics, groups),
        LockProcessor(tables.locks),
        QueryProcessor(config, store),
        TopicProcessor(topics, offsets, store, config.broker_name, parts.announce),
        GroupProcessor(groups, offsets),
        InfoProcessor(
            store,
            parts.stats,
            parts.clock,
            config.store_path_root_dir,
            lambda: to_properties(config).decode(),
        ),
    ]
    for processor in everyone:
        processor.routes(router)


def _unique_keys(parts: Parts) -> Callable[[], str]:
    """Make what gives a key to messages that came without one."""
    keys = UniqueKeys(parts.store_host[:-4], os.getpid(), os.urandom(4))

    def next_key() -> str:
        now = parts.clock.seconds()
        today = time.localtime(now)
        first = (today.tm_year, today.tm_mon, 1, 0, 0, 0, 0, 0, -1)
        return keys.next(now, time.mktime(first))

    return next_key
