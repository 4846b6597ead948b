"""Installs sending, and sending back what was not consumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.delay.schedule import DelayLevels, parse_levels
from rocketmq_tw.broker.send.processor import SendProcessor
from rocketmq_tw.broker.send.send_back import RetryRules
from rocketmq_tw.model.msgid import UniqueKeys
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> None:
    """Handle sends and what consumers send back."""
    config, tables = broker.config, broker.tables
    levels = DelayLevels(parse_levels(config.message_delay_level))
    retries = RetryRules(
        store=broker.store,
        topics=tables.topics,
        groups=tables.groups,
        levels=levels,
        is_locked=tables.locks.is_locked,
        store_host=broker.store_host,
        broker_permission=config.broker_permission,
    )
    SendProcessor(
        config=config,
        store=broker.store,
        topics=tables.topics,
        groups=tables.groups,
        retries=retries,
        levels=levels,
        stats=broker.stats,
        store_host=broker.store_host,
        unique_key=_unique_keys(broker),
    ).routes(router)
    retries.routes(router)


def _unique_keys(broker: Broker) -> Callable[[], str]:
    """Make what gives a key to messages that came without one."""
    keys = UniqueKeys(broker.store_host[:-4], os.getpid(), os.urandom(4))
    clock = broker.clock

    def next_key() -> str:
        now = clock.seconds()
        today = time.localtime(now)
        first = (today.tm_year, today.tm_mon, 1, 0, 0, 0, 0, 0, -1)
        return keys.next(now, time.mktime(first))

    return next_key
