"""Installs the delivery of timed messages, their recall, and what slaves ask for."""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.send.kinds import Kind
from rocketmq_tw.broker.slave.replicated import Replicated
from rocketmq_tw.broker.timer.late import LateTimer
from rocketmq_tw.broker.timer.recall import RecallProcessor
from rocketmq_tw.broker.timer.tables import TimerTables
from rocketmq_tw.remoting.router import Router

#: Milliseconds between two writes of how many messages wait.
_METRICS_PERIOD_MS = 10_000


def install(broker: Broker, router: Router) -> LateTimer:
    """
    Deliver timed messages while the broker runs.

    A slave delivers none: they wait until its master is there again.
    """
    config, lifecycle, periodic = broker.config, broker.lifecycle, broker.periodic
    timer = LateTimer(broker)
    broker.measured.timer = timer
    TimerTables(
        check_point=timer.check_point, metrics=timer.table, pacer=broker.pacer
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
        _follow(broker)
        return timer
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


def _follow(broker: Broker) -> None:
    """Keep the check point of the master."""
    from rocketmq_tw.broker.timer.followed import FollowedTimer
    from rocketmq_tw.store.timer.files import TimerFiles

    followed = FollowedTimer(TimerFiles(broker.config.store_path_root_dir))
    broker.replicated.append(Replicated("the timer's check point", followed.copy))
