"""
Series for each alert of ``doc/operate/alerts.yml``: some that it fires at.

One sample a minute, as ``promtool test rules`` takes them. A cluster in order, a master
and a slave of one name, stands beside them, and is to raise nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Minutes after which all alerts must fire.
AT = 45
_SERVER = 'job="rocketmq-broker",instance="{instance}"'
_BROKER = f'cluster="C",node_id="broker-a",node_type="broker",{_SERVER}'
_GROUP = f'topic="T",consumer_group="G",is_system="false",{_BROKER}'
_RPC = f'request_code="send_message_v2",is_long_polling="false",{_BROKER}'
_FAILED = f'response_code="system_error",{_RPC}'

#: The series at which each alert fires once: names, labels, and values.
Series = tuple[str, str, str]
FIRING: Mapping[str, tuple[Series, ...]] = {
    "RocketMQDown": (("up", _SERVER, "1x5 0x60"),),
    "RocketMQRestarts": (("process_start_time_seconds", _SERVER, "1x35 2x2 3x2 4x30"),),
    "RocketMQStoreRefusesMessages": (
        ("rocketmq_storage_writeable", _BROKER, "1x5 0x60"),
    ),
    "RocketMQTwoMasters": (
        ("rocketmq_storage_writeable", _BROKER, "1x60"),
        ("rocketmq_storage_writeable", f'{_BROKER},x="other"', "1x60"),
    ),
    "RocketMQDiskFills": (
        ("rocketmq_storage_size_bytes", _BROKER, "85x60"),
        ("rocketmq_storage_capacity_bytes", _BROKER, "100x60"),
    ),
    "RocketMQGroupIsLate": (
        ("rocketmq_consumer_lag_latency_milliseconds", _GROUP, "700000x60"),
    ),
    "RocketMQGroupFallsBehind": (
        ("rocketmq_consumer_lag_messages", _GROUP, "0+6000x60"),
    ),
    "RocketMQGroupWithoutConsumers": (
        ("rocketmq_consumer_ready_messages", _GROUP, "2000x60"),
    ),
    "RocketMQDeadLetters": (("rocketmq_send_to_dlq_messages_total", _GROUP, "0+1x60"),),
    "RocketMQRequestsAreSlow": tuple(
        ("rocketmq_rpc_latency_milliseconds_bucket", f'le="{le}",{_RPC}', values)
        for le, values in (("1000", "0x60"), ("3000", "0+60x60"), ("+Inf", "0+60x60"))
    ),
    "RocketMQRequestsFail": (
        ("rocketmq_rpc_latency_milliseconds_count", _FAILED, "0+120x60"),
    ),
    "RocketMQReactorIsLate": tuple(
        ("rocketmq_reactor_lag_seconds_bucket", f'le="{le}",{_SERVER}', values)
        for le, values in (("0.1", "0x60"), ("1", "0+60x60"), ("+Inf", "0+60x60"))
    ),
    "RocketMQSlaveIsBehind": (
        ("rocketmq_slave_fall_behind_bytes", _BROKER, "300000000x60"),
    ),
    "RocketMQDescriptorsRunOut": (
        ("process_open_fds", _SERVER, "900x60"),
        ("process_max_fds", _SERVER, "1000x60"),
    ),
    "RocketMQTransactionsPending": (
        ("rocketmq_transactions_pending", _BROKER, "20000x60"),
    ),
    "RocketMQTimedMessagesAreLate": (
        ("rocketmq_timer_dequeue_latency_milliseconds", _BROKER, "20000x60"),
    ),
    "RocketMQLimitReached": (
        ("rocketmq_held_pulls_refused_total", _BROKER, "0+100x60"),
    ),
    "RocketMQSeriesLeftOut": (
        ("rocketmq_metrics_series_left_out", f'metric="m",{_SERVER}', "5x60"),
    ),
}
#: What all these are in a cluster in order.
QUIET: Mapping[str, str] = {
    "up": "1x60",
    "process_start_time_seconds": "1x60",
    # Slaves do not have it.
    "rocketmq_storage_writeable": "_x60",
    "rocketmq_storage_size_bytes": "50x60",
    "rocketmq_storage_capacity_bytes": "100x60",
    "rocketmq_consumer_lag_latency_milliseconds": "100x60",
    "rocketmq_consumer_lag_messages": "20000x60",
    "rocketmq_consumer_ready_messages": "10x60",
    "rocketmq_send_to_dlq_messages_total": "7x60",
    "rocketmq_rpc_latency_milliseconds_bucket": "0+60x60",
    "rocketmq_rpc_latency_milliseconds_count": "3x60",
    "rocketmq_reactor_lag_seconds_bucket": "0+60x60",
    "rocketmq_slave_fall_behind_bytes": "1000x60",
    "process_open_fds": "100x60",
    "process_max_fds": "1000x60",
    "rocketmq_transactions_pending": "10x60",
    "rocketmq_timer_dequeue_latency_milliseconds": "10x60",
    "rocketmq_held_pulls_refused_total": "3x60",
    "rocketmq_metrics_series_left_out": "0x60",
}


def scenarios() -> Iterator[dict[str, Any]]:
    """Yield a test for each alert, and one in which nothing is wrong."""
    quiet = [
        _input(name, labels.format(instance=instance), QUIET[name])
        for name, labels in sorted(
            {(name, labels) for all_ in FIRING.values() for name, labels, _ in all_}
        )
        for instance in ("slave:5557", "third:5557")
    ]
    for alert, series in FIRING.items():
        found = [
            _input(name, labels.format(instance="master:5557"), values)
            for name, labels, values in series
        ]
        yield _test(found + quiet, [(alert, 1)])
    yield _test(quiet, [])


def _input(name: str, labels: str, values: str) -> dict[str, str]:
    # Counters begin with "0+", the others repeat one value.
    spaced = " ".join(
        each if "+" in each else _repeated(each) for each in values.split()
    )
    return {"series": f"{name}{{{labels}}}", "values": spaced}


def _repeated(values: str) -> str:
    value, _, count = values.partition("x")
    if value == "_":
        return values
    return f"{value}+0x{int(count) - 1}"


def _test(
    series: list[dict[str, str]], firing: list[tuple[str, int]]
) -> dict[str, Any]:
    """Return a test in which just these alerts fire."""
    expected = [
        {"labels": f'{{alertname="{name}"}}', "value": count} for name, count in firing
    ]
    asked = 'count by (alertname) (ALERTS{alertstate="firing"})'
    check = {"expr": asked, "eval_time": f"{AT}m", "exp_samples": expected}
    return {"interval": "1m", "input_series": series, "promql_expr_test": [check]}
