"""All processors of a broker, made from its parts and given their requests."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.held_pulls import HeldPulls
from rocketmq_tw.broker.processors.admin.group import GroupProcessor
from rocketmq_tw.broker.processors.admin.info import InfoProcessor
from rocketmq_tw.broker.processors.admin.topic import TopicProcessor
from rocketmq_tw.broker.processors.heartbeat import HeartbeatProcessor
from rocketmq_tw.broker.processors.lock import LockProcessor
from rocketmq_tw.broker.processors.offset import OffsetProcessor
from rocketmq_tw.broker.processors.pull import PullProcessor
from rocketmq_tw.broker.processors.query import QueryProcessor
from rocketmq_tw.broker.processors.send import SendProcessor
from rocketmq_tw.broker.retries import RetryRules
from rocketmq_tw.broker.schedule import DelayLevels, ScheduleService
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables import Tables
from rocketmq_tw.model.msgid import UniqueKeys
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import IMessageStore


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """
    What the processors are made from; each takes only what it uses.

    :ivar store_host: the broker's address, packed.
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
