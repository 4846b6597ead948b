"""Installs assignments, and the modes in which groups fetch messages."""

from __future__ import annotations

from rocketmq_tw.broker.assignment.modes import Mode, RequestModes
from rocketmq_tw.broker.assignment.processor import AssignmentProcessor
from rocketmq_tw.broker.assignment.routes import QueueRoutes
from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> RequestModes:
    """Handle the requests; slaves copy the modes."""
    config, tables = broker.config, broker.tables
    modes = RequestModes(
        tables.file("messageRequestMode.json"), config.max_request_modes
    )
    AssignmentProcessor(
        modes=modes,
        routes=QueueRoutes(
            broker_name=config.broker_name,
            topics=tables.topics,
            ask=broker.ask_name_servers if broker.name_servers else None,
            clock=broker.clock,
        ),
        topics=tables.topics,
        groups=tables.groups,
        clients=tables.clients,
        default=Mode(
            topic="",
            consumer_group="",
            mode=config.default_message_request_mode,
            pop_share_queue_num=config.default_pop_share_queue_num,
        ),
    ).routes(router)
    broker.replicated.append(Replicated("the request modes", modes.copy))
    broker.lifecycle.on_start.append(modes.load)
    broker.stats.gauges["requestModes"] = lambda: len(modes)
    broker.stats.gauges["requestModesRefused"] = lambda: modes.refused
    return modes
