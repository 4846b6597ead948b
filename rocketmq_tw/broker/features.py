"""
The features of a broker, in the order in which they are installed.

A feature is a package, or a module of :mod:`rocketmq_tw.broker.processors`, with a
function ``install(broker, router)``. To add one, write it and name it here. Guards run
in the order of installation; what starts first stops last.
"""

from __future__ import annotations

from rocketmq_tw.broker.access import feature as access
from rocketmq_tw.broker.assignment import feature as assignment
from rocketmq_tw.broker.broker import Install
from rocketmq_tw.broker.delay import feature as delay
from rocketmq_tw.broker.pop import feature as pop
from rocketmq_tw.broker.processors import client_config, heartbeat, lock, offset, query
from rocketmq_tw.broker.processors.admin import (
    cleaning,
    connections,
    consumer,
    forbidden,
    group,
    info,
    lookups,
    queue_entries,
    relays,
    replication,
    resets,
    time_spans,
    timer_engine,
    topic,
    topic_list,
)
from rocketmq_tw.broker.pull import feature as pull
from rocketmq_tw.broker.send import feature as send
from rocketmq_tw.broker.slave import feature as slave
from rocketmq_tw.broker.statistics import processor as statistics
from rocketmq_tw.broker.timer import feature as timer
from rocketmq_tw.broker.transactions import feature as transactions

FEATURES: tuple[Install, ...] = (
    access.install,
    delay.install,
    transactions.install,
    send.install,
    pull.install,
    pop.install,
    timer.install,
    assignment.install,
    heartbeat.install,
    client_config.install,
    offset.install,
    lock.install,
    query.install,
    topic.install,
    topic_list.install,
    group.install,
    forbidden.install,
    cleaning.install,
    consumer.install,
    connections.install,
    relays.install,
    lookups.install,
    queue_entries.install,
    time_spans.install,
    resets.install,
    info.install,
    statistics.install,
    timer_engine.install,
    replication.install,
    slave.install,
)
