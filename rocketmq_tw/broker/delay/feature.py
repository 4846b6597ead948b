"""Installs the delivery of delayed messages."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.delay.levels import DelayLevels, parse_levels
from rocketmq_tw.broker.delay.schedule import ScheduleService
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> ScheduleService:
    """Deliver delayed messages while the broker runs; this feature has no requests."""
    config, lifecycle = broker.config, broker.lifecycle
    schedule = ScheduleService(
        levels=DelayLevels(parse_levels(config.message_delay_level)),
        store=broker.store,
        file=broker.tables.file("delayOffset.json"),
        clock=broker.clock,
    )
    lifecycle.on_start += [schedule.load, schedule.start]
    lifecycle.on_stop.append(schedule.stop)
    broker.periodic.every(config.flush_delay_offset_interval, schedule.save)
    return schedule
