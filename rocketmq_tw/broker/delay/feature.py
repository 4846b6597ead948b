"""Installs the delivery of delayed messages, and its copies to slaves."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.delay.copies import DelayCopies
from rocketmq_tw.broker.delay.levels import DelayLevels, parse_levels
from rocketmq_tw.broker.delay.schedule import ScheduleService
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> ScheduleService:
    """Deliver delayed messages while the broker runs, unless it is a slave."""
    config, lifecycle = broker.config, broker.lifecycle
    schedule = ScheduleService(
        levels=DelayLevels(parse_levels(config.message_delay_level)),
        store=broker.store,
        file=broker.tables.file("delayOffset.json"),
        clock=broker.clock,
    )
    copies = DelayCopies(schedule)
    copies.routes(router)
    broker.replicated.append(
        Replicated("the delay offsets", copies.copy, copies.take_back)
    )
    lifecycle.on_start.append(schedule.load)
    lifecycle.on_stop.append(schedule.stop)
    if not config.is_slave:
        lifecycle.on_start.append(schedule.start)
        broker.periodic.every(config.flush_delay_offset_interval, schedule.save)
    return schedule
