"""Installs pulling: the request, and the pulls held until a message arrives."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.pull.cold import ColdPulls
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.pull.processor import PullProcessor
from rocketmq_tw.broker.pull.pull_filters import PullFilters
from rocketmq_tw.broker.pull.suggestion import Suggestion, suggests
from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.queues.fetch import memory_share


def install(broker: Broker, router: Router) -> HeldPulls:
    """Handle pulls; hold those that find no message, until the broker drains."""
    tables, lifecycle = broker.tables, broker.lifecycle
    config = broker.config
    held = HeldPulls(
        store=broker.store,
        clock=broker.clock,
        limit=config.max_held_pulls,
        limit_per_connection=config.max_held_pulls_per_connection,
        max_tags=config.max_held_pull_tags,
    )
    cold = ColdPulls(max_waiting=config.max_cold_pulls)
    broker.stats.gauges["heldPulls"] = lambda: len(held)
    broker.stats.gauges["heldPullsRefused"] = lambda: held.refused
    broker.stats.gauges["heldPullTags"] = lambda: held.tags
    broker.stats.gauges["coldPulls"] = lambda: cold.waiting
    broker.stats.gauges["coldPullsRefused"] = lambda: cold.refused
    PullProcessor(
        config=config,
        store=broker.store,
        topics=tables.topics,
        groups=tables.groups,
        offsets=tables.offsets,
        filters=PullFilters(
            filters=broker.filters,
            groups=tables.groups,
            clients=tables.clients,
            clock=broker.clock,
        ),
        held=held,
        cold=cold,
        stats=broker.stats,
        progress=tables.progress,
        suggestion=_suggestion(broker) if suggests(config) else None,
    ).routes(router)
    broker.master.on_change.append(lambda: _wake_for(broker.master, held))
    lifecycle.on_start.append(held.start)
    lifecycle.on_drain.append(held.stop)
    lifecycle.on_connection_lost.append(held.connection_lost)
    return held


def _wake_for(master: Master, held: HeldPulls) -> None:
    """Let the pulls that a slave holds go to a master that is back."""
    if master.address:
        held.wake_all()


def _suggestion(broker: Broker) -> Suggestion:
    """Return what says from which broker consumers pull next."""
    config = broker.config
    return Suggestion(
        config=config,
        groups=broker.tables.groups,
        store=broker.store,
        memory_size=memory_share(config.access_message_in_memory_max_ratio),
        is_master_alive=broker.is_master_alive,
    )
