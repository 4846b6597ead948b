"""
A real Prometheus scrapes our cluster, and is asked what dashboards ask.

``python -m tests.interop.watched`` prints all queries, and can put Apache's broker and
its exporter beside ours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.ports import free_port
from tests.tls.authority import Authority

from . import ours, watched
from .alert_series import FIRING, scenarios
from .lab import OURS, Lab
from .program import wait_until
from .prometheus import OPERATE, Prometheus, missing_tools, page_of, promtool
from .test_rocketmq_admin import Admin
from .watched import FAILING, LATE_TOPIC, TOPIC, Watched, problems

#: ``promtool`` wants seconds. These are the names that Apache's brokers give.
IN_MILLISECONDS = {
    "rocketmq_consumer_lag_latency_milliseconds",
    "rocketmq_consumer_queueing_latency_milliseconds",
    "rocketmq_finish_message_latency_milliseconds",
    "rocketmq_pop_buffer_scan_time_consume_milliseconds",
    "rocketmq_pop_revive_lag_milliseconds",
    "rocketmq_pop_revive_latency_milliseconds",
    "rocketmq_rpc_latency_milliseconds",
    "rocketmq_storage_message_reserve_time_milliseconds",
    "rocketmq_timer_dequeue_latency_milliseconds",
    "rocketmq_timer_enqueue_latency_milliseconds",
    "rocketmq_topic_create_execution_time_milliseconds",
    "rocketmq_consumer_group_create_execution_time_milliseconds",
}
#: Alerts that a full or a busy host raises, whoever runs the tests.
OF_THE_HOST = {"RocketMQDiskFills", "RocketMQReactorIsLate", "RocketMQRequestsAreSlow"}
#: Queries of the three dashboards.
LEAST = (30, 9, 55)
UNIT = 'use base unit "seconds" instead of "milliseconds"'


def need_tools() -> None:
    """Skip without Prometheus (but fail under CI)."""
    if missing := missing_tools():
        reason = f"no {' and no '.join(missing)}: apt-get install prometheus"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Run a cluster in which something of each kind has happened."""
    need_tools()
    with watched.watched(tmp_path_factory.mktemp("watched"), OURS) as running:
        yield running


def test_dashboards(scene: Watched) -> None:
    """Each query of Apache's dashboards and of ours finds what it is to find."""
    seen = watched.look(scene, watched.asked(OURS, exporter=False), 90)
    counts = [len(found) for found in seen.values()]
    assert all(n >= least for n, least in zip(counts, LEAST, strict=True))
    wrong = [line for found in seen.values() for line in problems(found)]
    assert not wrong, "\n".join(wrong)


def test_each_alert(tmp_path: Path) -> None:
    """Each alert fires at its fault, alone, and none in a cluster that is in order."""
    need_tools()
    rules = yaml.safe_load((OPERATE / "alerts.yml").read_text())["groups"]
    assert {each["alert"] for group in rules for each in group["rules"]} == set(FIRING)
    given = {"rule_files": [str(OPERATE / "alerts.yml")], "tests": list(scenarios())}
    path = tmp_path / "alerts_test.yml"
    path.write_text(yaml.safe_dump(given))
    assert promtool("test", "rules", str(path)) == []


def test_alerts(scene: Watched) -> None:
    """All alerts can be evaluated; that of dead letters fires, and no other."""
    for command in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        kind, name = command
        assert promtool("check", kind, str(OPERATE / name)) == []

    def dead_letters() -> float:
        found = scene.prometheus.instant("sum(rocketmq_send_to_dlq_messages_total)")
        return float(found[0]["value"][1]) if found else 0

    wait_until(dead_letters, 60, "the first dead letters")
    more = {"plan": "sync:4", "from": 100}
    scene.lab.sender("ours", scene.names, topic=TOPIC, **more).finish()

    def firing() -> set[str]:
        rules = scene.prometheus.rules()
        found = {each["name"] for each in rules if each["state"] != "inactive"}
        return found - OF_THE_HOST

    wait_until(lambda: "RocketMQDeadLetters" in firing(), 60, "the alert")
    assert firing() == {"RocketMQDeadLetters"}
    rules = scene.prometheus.rules()
    [ours] = [each for each in rules if each["name"] == "RocketMQDeadLetters"]
    [alert] = ours["alerts"]
    assert FAILING in alert["annotations"]["summary"]
    assert len(rules) > 15
    failed = [
        (each["name"], each["lastError"]) for each in rules if "lastError" in each
    ]
    assert not failed


def check_page(target: str) -> None:
    """Let ``promtool`` find no fault but the units of Apache's names."""
    page = page_of(target)
    assert "rocketmq_rpc_latency_milliseconds_bucket" in page
    complaints = promtool("check", "metrics", given=page)
    assert not {line for line in complaints if not line.endswith(UNIT)}
    assert {line.split()[0] for line in complaints} <= IN_MILLISECONDS


def test_pages(scene: Watched) -> None:
    """The pages of a master, a slave and a name server are in order."""
    for target in scene.pages.values():
        check_page(target)


def test_page_of_all(tmp_path: Path) -> None:
    """So is that of the program that has everything, with its console."""
    need_tools()
    port, names, metrics, console = (free_port() for _ in range(4))
    words = ("--listen", f"127.0.0.1:{port}", "-P", f"127.0.0.1:{names}", "--memory")
    pages = ("--metrics", str(metrics), "--console", str(console))
    server = ours.OurServer("rocketmq", tmp_path, port, *words, *pages)
    try:
        admin = Admin(f"127.0.0.1:{names}")
        wait_until(lambda: admin.json("broker", "list"), 30, "the broker")
        check_page(f"127.0.0.1:{metrics}")
    finally:
        server.stop()


def test_topics(scene: Watched) -> None:
    """The variable of topics offers those that have messages."""
    offered = scene.prometheus.label_values("rocketmq_messages_in_total", "topic")
    assert {TOPIC, LATE_TOPIC} <= set(offered)


def test_token_and_tls(lab: Lab, tmp_path: Path) -> None:
    """The lines for a token and TLS in ``prometheus.yml``, which are comments there."""
    need_tools()
    authority = Authority(str(tmp_path))
    certificate, key = authority.issue("server")
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length")
    port = free_port()
    lab.broker(
        OURS,
        lab.name_server(OURS),
        **{"tls.server.certPath": certificate, "tls.server.keyPath": key},
        metricsExporterType="PROM",
        metricsPromExporterPort=port,
        metricsToken=token.read_text(),
        metricsTls="true",
    )
    files = {"rocketmq-token": token, "rocketmq-ca.pem": Path(authority.ca)}
    targets = {watched.BROKERS: [f"127.0.0.1:{port}"]}
    running = Prometheus(tmp_path, targets, commented=files)
    try:
        assert running.instant("rocketmq_broker_permission")
    finally:
        running.end()
