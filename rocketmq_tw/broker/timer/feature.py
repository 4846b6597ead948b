"""Installs the delivery of timed messages, their recall, and what slaves ask for."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.send.kinds import Kind
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.broker.timer.late import LateTimer
from rocketmq_tw.broker.timer.recall import RecallProcessor
from rocketmq_tw.broker.timer.tables import TimerTables
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.other_tables import TimerCheckPoint

CheckPoint = Callable[[], TimerCheckPoint | Deferred[TimerCheckPoint]]

#: Milliseconds between two writes of how many messages wait.
_METRICS_PERIOD_MS = 10_000


def install(broker: Broker, router: Router) -> LateTimer:
    """
    Deliver timed messages while the broker runs.

    A slave delivers none: they wait until its master is there again, or go to other
    masters while it acts for its own, if they may.
    """
    config, lifecycle, periodic = broker.config, broker.lifecycle, broker.periodic
    timer = LateTimer(broker)
    broker.measured.timer = timer
    check_point = _follow(broker) if config.is_slave else timer.check_point
    TimerTables(
        check_point=check_point, metrics=timer.table, pacer=broker.pacer
    ).routes(router)
    RecallProcessor(
        store=broker.store,
        topics=broker.tables.topics,
        sends=broker.timed_sends,
        broker_name=config.broker_name,
        region=config.region_id,
        is_enabled=config.recall_message_enable,
        with_topic=config.append_topic_for_timer_delete_key,
        log=broker.replication.durable_log,
    ).routes(router)
    broker.stats.gauges.update(timer.gauges())
    if config.is_slave:
        return timer
    # A master copies nothing; it takes that over when it returns.
    broker.replicated.append(
        Replicated("the timer's check point", timer.take_over, timer.take_over)
    )
    sends = broker.timed_sends
    sends.wake = timer.wake
    broker.redirects[Kind.TIMED] = lambda draft, sent: sends.schedule(
        draft, sent.call.received_at
    )
    lifecycle.on_start.append(timer.open)
    lifecycle.on_online.append(timer.start)
    # What comes last is done first.
    lifecycle.on_drain.append(timer.save)
    lifecycle.on_drain.append(timer.stop)
    lifecycle.on_stop.append(timer.close)
    periodic.every(config.timer_flush_interval_ms, timer.flush)
    periodic.every(_METRICS_PERIOD_MS, timer.save)
    return timer


def _follow(broker: Broker) -> CheckPoint:
    """Keep the check point of the master; return what reports it to others."""
    from rocketmq_tw.broker.timer.followed import FollowedTimer
    from rocketmq_tw.broker.timer.parts import timer_files

    followed = FollowedTimer(timer_files(broker), broker.store)
    broker.replicated.append(Replicated("the timer's check point", followed.copy))
    if not broker.config.enable_remote_escape:
        return lambda: followed.point
    from rocketmq_tw.broker.timer.acting import ActingTimer

    acting = ActingTimer(broker, followed)
    acting.install()
    return lambda: Deferred.fromCoroutine(acting.check_point())
