"""Installs the delivery of delayed messages, and its copies to slaves."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.delay.copies import DelayCopies
from rocketmq_tw.broker.delay.schedule import ScheduleService
from rocketmq_tw.broker.slave.escape import make_escape
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.remoting.router import Router


def install(broker: Broker, router: Router) -> ScheduleService:
    """
    Deliver delayed messages while the broker runs.

    A slave delivers them while it acts for its master, to other masters, if it may.
    """
    config, lifecycle = broker.config, broker.lifecycle
    acts = config.is_slave and config.enable_remote_escape
    escape = make_escape(broker) if acts else None
    schedule = ScheduleService(
        levels=broker.delay_levels,
        store=broker.store,
        file=broker.tables.file("delayOffset.json"),
        clock=broker.clock,
        put=None if escape is None else escape.put,
    )
    copies = DelayCopies(schedule)
    copies.routes(router)
    broker.replicated.append(
        Replicated("the delay offsets", copies.copy, copies.take_back)
    )
    lifecycle.on_start.append(schedule.load)
    lifecycle.on_stop.append(schedule.stop)
    if not config.is_slave:
        # Not before it has taken over what a slave has delivered.
        lifecycle.on_online.append(schedule.start)
    if escape is not None:
        broker.on_acting.append(
            lambda is_acting: schedule.resume() if is_acting else schedule.stop()
        )
    period_ms = config.flush_delay_offset_interval
    broker.periodic.every(
        period_ms, lambda: schedule.save() if schedule.is_running else None
    )
    return schedule
