"""Installs the handlers for sends and for messages that consumers send back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.dedupe.feature import deduped_sends
from rocketmq_tw.broker.reply.processor import ReplyProcessor
from rocketmq_tw.broker.reply.pushes import ReplyPushes
from rocketmq_tw.broker.send.batch import BatchSender
from rocketmq_tw.broker.send.drafts import Drafts
from rocketmq_tw.broker.send.in_sync import InSyncGuard
from rocketmq_tw.broker.send.lane import SendLane
from rocketmq_tw.broker.send.lane_forms import LaneForms
from rocketmq_tw.broker.send.lane_parts import LaneParts
from rocketmq_tw.broker.send.processor import SendProcessor
from rocketmq_tw.broker.send.responses import SendResponses
from rocketmq_tw.broker.send.retries import RetryRules
from rocketmq_tw.broker.send.send_back import SendBackProcessor
from rocketmq_tw.broker.send.targets import Targets
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.message import CLUSTER, MSG_REGION, TRACE_ON
from rocketmq_tw.model.msgid import UniqueKeys
from rocketmq_tw.remoting.lane import ConditionalLane
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.requests.send import SendMessageV2


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    config, tables = broker.config, broker.tables
    retries = RetryRules(
        topics=tables.topics,
        groups=tables.groups,
        is_locked=tables.locks.is_locked,
        progress=tables.progress,
    )
    targets = Targets(config=config, topics=tables.topics, retries=retries)
    guard = _in_sync_guard(broker)
    responses, drafts = _responses(broker), _drafts(broker)
    _send_processor(broker, targets, responses, drafts).routes(router, guard)
    _reply_processor(broker, targets, responses, drafts).routes(router)
    runs = broker.store.runs
    if runs is not None:
        _use_lane(broker, router, guard, _lane_parts(broker, targets, runs))
    SendBackProcessor(
        store=broker.store,
        retries=retries,
        new_topics=broker.new_topics,
        levels=broker.delay_levels,
        when_safe=broker.replication.when_safe,
        topics=tables.topics,
        progress=tables.progress,
        store_host=broker.store_host,
    ).routes(router)


def _in_sync_guard(broker: Broker) -> InSyncGuard | None:
    """Return what refuses sends while too few brokers are in sync; None for nothing."""
    acks = broker.replication.acks
    if acks is None or not broker.config.enable_slave_acting_master:
        return None
    guard = InSyncGuard(acks)
    broker.stats.gauges["brokersInSync"] = lambda: acks.in_sync
    broker.stats.gauges["sendsNotInSyncRefused"] = lambda: guard.refused
    return guard


def _responses(broker: Broker) -> SendResponses:
    config, log = broker.config, broker.replication.durable_log
    if log is not None:
        broker.stats.wait_for(log)
    return SendResponses(
        log=log,
        store_host=broker.store_host,
        region=config.region_id,
        trace_on=_trace_on(config),
    )


def _drafts(broker: Broker) -> Drafts:
    return Drafts(
        levels=broker.delay_levels,
        added=added_properties(broker.config),
        unique_key=_unique_keys(broker),
        redirects=broker.redirects,
    )


def _reply_processor(
    broker: Broker, targets: Targets, responses: SendResponses, drafts: Drafts
) -> ReplyProcessor:
    config = broker.config
    pushes = ReplyPushes(
        broker.clock,
        limit=config.max_reply_pushes,
        limit_of_one=config.max_reply_pushes_per_connection,
    )
    broker.lifecycle.on_stop.append(pushes.stop)
    broker.stats.gauges["replyPushes"] = lambda: pushes.waiting
    broker.stats.gauges["replyPushesRefused"] = lambda: pushes.refused
    return ReplyProcessor(
        store=broker.store,
        targets=targets,
        new_topics=broker.new_topics,
        drafts=drafts,
        responses=responses,
        producers=broker.tables.clients.producer_ids,
        pushes=pushes,
        stats=broker.stats,
        stores=config.store_reply_message_enable,
        address=broker.address,
        max_size=config.max_message_size,
    )


def _send_processor(
    broker: Broker, targets: Targets, responses: SendResponses, drafts: Drafts
) -> SendProcessor:
    config = broker.config
    deduped = deduped_sends(broker, responses, targets)
    return SendProcessor(
        store=broker.store,
        targets=targets,
        new_topics=broker.new_topics,
        drafts=drafts,
        batches=BatchSender(
            store=broker.store,
            targets=targets,
            new_topics=broker.new_topics,
            responses=responses,
            deduped=deduped,
            stats=broker.stats,
            max_size=config.max_message_size,
            max_messages=config.max_batch_messages,
            pacer=broker.pacer,
            wall_time=wall_time(broker.clock),
        ),
        deduped=deduped,
        responses=responses,
        recall_handle=broker.timed_sends.recall_handle,
        when_stored=broker.when_stored,
        stats=broker.stats,
        max_size=config.max_message_size,
    )


def _use_lane(
    broker: Broker, router: Router, guard: InSyncGuard | None, parts: LaneParts
) -> None:
    """Let plain sends pass their handler, and what features add."""
    made = [make(parts) for make in broker.lane_extensions]
    assert len(made) < 2, "the lane has one extension"
    other = made[0] if made else None
    lane = SendLane(parts, timed=broker.timed_sends, other=other)
    whole = lane if guard is None else ConditionalLane(guard.has_enough, lane)
    router.use_lane(SendMessageV2, whole, other.declared if other else ())


def _lane_parts(broker: Broker, targets: Targets, runs: RunWriter) -> LaneParts:
    config = broker.config
    return LaneParts(
        runs=runs,
        targets=targets,
        stats=broker.stats,
        added=added_properties(config).encode(),
        max_size=config.max_message_size,
        forms=LaneForms(broker.store_host, config.region_id, _trace_on(config)),
        log=broker.replication.durable_log,
    )


def _trace_on(config: BrokerConfig) -> str:
    return "true" if config.trace_on else "false"


def added_properties(config: BrokerConfig) -> str:
    """Return the encoded properties that the broker adds to each message."""
    return properties.encode(
        {
            CLUSTER: config.broker_cluster_name,
            MSG_REGION: config.region_id,
            TRACE_ON: _trace_on(config),
        }
    )


def _unique_keys(broker: Broker) -> Callable[[], str]:
    """Return a function that makes keys for messages without one."""
    keys = UniqueKeys(broker.store_host[:-4], os.getpid(), os.urandom(4))
    wall_time_now = wall_time(broker.clock)

    def next_key() -> str:
        now = wall_time_now()
        today = time.localtime(now)
        first = (today.tm_year, today.tm_mon, 1, 0, 0, 0, 0, 0, -1)
        return keys.next(now, time.mktime(first))

    return next_key
