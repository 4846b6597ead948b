"""Installs pop: its requests, those that wait, and the revival of what is due."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.pop.acks import AckProcessor
from rocketmq_tw.broker.pop.adoption import Adoption
from rocketmq_tw.broker.pop.checks import PopChecks
from rocketmq_tw.broker.pop.in_flight import InFlight
from rocketmq_tw.broker.pop.journal import ReviveLog
from rocketmq_tw.broker.pop.ordered_acks import OrderedAcks
from rocketmq_tw.broker.pop.orderly import TICK_MS, OrderedPops, OrderTable
from rocketmq_tw.broker.pop.peeks import PeekProcessor
from rocketmq_tw.broker.pop.polling import PopPolling
from rocketmq_tw.broker.pop.processor import PopProcessor
from rocketmq_tw.broker.pop.queue_order import QueueOrder
from rocketmq_tw.broker.pop.reader import PopReader
from rocketmq_tw.broker.pop.revival import Revival
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.topic import REVIVE_LOG_PREFIX
from rocketmq_tw.remoting.pacing import Steps, all_at_once
from rocketmq_tw.remoting.router import Router

#: Milliseconds between two commits of how far the revive log is done.
_COMMIT_PERIOD_MS = 30_000
#: Milliseconds between two writes of the pops in order.
_SAVE_PERIOD_MS = 10_000


class PopParts(msgspec.Struct, frozen=True):
    """What was installed."""

    journal: ReviveLog
    ordered: OrderedPops
    polling: PopPolling
    revival: Revival


def install(broker: Broker, router: Router) -> PopParts:
    """Handle pops; a slave hands out nothing, as it writes nothing."""
    parts = _make(broker)
    polling, lifecycle = parts.polling, broker.lifecycle
    _processors(broker, parts, router)
    _gauges(broker, parts)
    broker.measured.pop = parts
    lifecycle.on_drain.append(polling.stop)
    lifecycle.on_connection_lost.append(polling.connection_lost)
    if broker.config.is_slave:
        return parts
    journal, revival = parts.journal, parts.revival
    broker.tables.offsets.before_write = journal.when_on_disk
    lifecycle.on_start.append(lambda: _in_steps(broker, journal.replay()))
    adoption = _adoption(broker, journal)
    lifecycle.on_start.append(lambda: _in_steps(broker, adoption.run()))
    lifecycle.on_online.append(revival.start)
    lifecycle.on_stop.append(journal.commit_now)
    lifecycle.on_stop.append(revival.stop)

    def commit() -> Any:
        journal.commit()
        return _in_steps(broker, journal.write_old_again())

    broker.periodic.every(_COMMIT_PERIOD_MS, commit)
    _keep_order(broker, parts)
    return parts


def _keep_order(broker: Broker, parts: PopParts) -> None:
    """Read and write the pops in order; wake those that wait for a free queue."""
    ordered, polling = parts.ordered, parts.polling
    file, now = broker.tables.file("consumerOrderInfo.json"), wall_time(broker.clock)

    def load() -> None:
        stored = file.load_as(OrderTable.decode)
        if stored is not None:
            ordered.load(stored)

    def save() -> None:
        ordered.forget_idle(int(now() * 1000))
        if len(ordered):
            file.save(all_at_once(ordered.encode_in_steps()))

    def saving() -> Steps[None]:
        ordered.forget_idle(int(now() * 1000))
        if len(ordered):
            file.save((yield from ordered.encode_in_steps()))

    def wake() -> None:
        for topic, group, queue_id in ordered.take_free(int(now() * 1000)):
            polling.wake_one(topic, group, queue_id)

    broker.lifecycle.on_start.append(load)
    broker.lifecycle.on_stop.append(save)
    broker.periodic.every(_SAVE_PERIOD_MS, lambda: _in_steps(broker, saving()))
    broker.periodic.every(TICK_MS, wake)


def _adoption(broker: Broker, journal: ReviveLog) -> Adoption:
    """Return what takes over from a broker of Apache RocketMQ."""
    tables = broker.tables
    return Adoption(
        topic=REVIVE_LOG_PREFIX + broker.config.broker_cluster_name,
        store=broker.store,
        offsets=tables.offsets,
        journal=journal,
        check_file=tables.file("timercheck"),
    )


def _in_steps(broker: Broker, steps: Any) -> Deferred[Any] | None:
    """Run steps that no peer waits for."""
    return broker.pacer.run(steps, None, key=steps)


def _make(broker: Broker) -> PopParts:
    """Make the parts that share what is in flight."""
    config, tables, clock = broker.config, broker.tables, broker.clock
    topic = REVIVE_LOG_PREFIX + config.broker_cluster_name
    found = tables.topics.get(topic)
    journal = ReviveLog(
        topic=topic,
        queues=1 if found is None else max(1, found.write_queue_nums),
        store=broker.store,
        offsets=tables.offsets,
        in_flight=InFlight(
            limit=config.max_pop_check_points,
            limit_per_group=config.max_pop_check_points_per_group,
            counts_messages=config.enable_pop_message_threshold,
        ),
        broker_name=config.broker_name,
        store_host=broker.store_host,
        now=wall_time(clock),
    )
    polling = PopPolling(
        store=broker.store,
        clock=clock,
        limit=config.max_pop_polling_size,
        limit_per_connection=config.max_pop_polling_per_connection,
        limit_per_queue=config.pop_polling_size,
        max_tags=config.max_held_pull_tags,
    )
    revival = Revival(
        journal=journal,
        store=broker.store,
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        pacer=broker.pacer,
        clock=clock,
        store_host=broker.store_host,
        retry_v2=config.enable_retry_topic_v2,
        now=wall_time(clock),
    )
    ordered = OrderedPops(config.max_pop_ordered_queues)
    return PopParts(journal, ordered, polling, revival)


def _processors(broker: Broker, parts: PopParts, router: Router) -> None:
    """Register the handlers."""
    config, tables = broker.config, broker.tables
    checks = PopChecks(
        config=config,
        filters=broker.filters,
        topics=tables.topics,
        groups=tables.groups,
    )
    order = _order(broker)
    PopProcessor(
        checks=checks,
        reader=PopReader(
            store=broker.store,
            order=order,
            offsets=tables.offsets,
            journal=parts.journal,
            ordered=parts.ordered,
            broker_name=config.broker_name,
            most_in_flight=config.pop_inflight_message_threshold
            if config.enable_pop_message_threshold
            else None,
        ),
        polling=parts.polling,
        clock=broker.clock,
        now=wall_time(broker.clock),
        stats=broker.stats,
        progress=tables.progress,
        when_safe=broker.replication.when_safe,
    ).routes(router)
    PeekProcessor(
        checks=checks,
        order=order,
        store=broker.store,
        offsets=tables.offsets,
        pacer=broker.pacer,
    ).routes(router)
    AckProcessor(
        store=broker.store,
        topics=tables.topics,
        journal=parts.journal,
        ordered=OrderedAcks(
            pops=parts.ordered,
            offsets=tables.offsets,
            polling=parts.polling,
            progress=tables.progress,
        ),
        pacer=broker.pacer,
        progress=tables.progress,
        when_safe=broker.replication.when_safe,
        now=wall_time(broker.clock),
    ).routes(router)


def _order(broker: Broker) -> QueueOrder:
    """Return what chooses queues."""
    config, tables = broker.config, broker.tables
    return QueueOrder(
        topics=tables.topics,
        groups=tables.groups,
        retry_first=config.pop_from_retry_probability,
        retry_first_for_priority=config.pop_from_retry_probability_for_priority,
        ascending=config.priority_order_asc,
    )


def _gauges(broker: Broker, parts: PopParts) -> None:
    """Show what waits, what is in flight, and what was refused."""
    gauges, in_flight = broker.stats.gauges, parts.journal.in_flight
    polling, revival = parts.polling, parts.revival
    gauges["popPolling"] = lambda: len(polling)
    gauges["popPollingRefused"] = lambda: polling.refused
    gauges["popPollingTags"] = lambda: polling.tags
    gauges["popCheckPoints"] = lambda: len(in_flight)
    gauges["popCheckPointsRefused"] = lambda: in_flight.refused
    ordered = parts.ordered
    gauges["popOrderedQueues"] = lambda: len(ordered)
    gauges["popOrderedQueuesRefused"] = lambda: ordered.refused
    gauges["popRevived"] = lambda: revival.revived
