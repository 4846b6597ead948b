"""Our ``rocketmq-admin`` and ``AdminClient`` on Apache's servers, and on ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .lab import OURS, Cluster, Lab
from .program import wait_until

PROGRAM = "from rocketmq_tw.admin.cli.main import main; main()"


def run(names: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, "-n", names, *words]
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, cwd=root
    )


class Admin:
    """
    Runs commands on one cluster.

    :param options: of all commands.
    """

    def __init__(self, names: str, *options: str) -> None:
        self.names = names
        self.options = options

    def json(self, *words: str, code: int = 0) -> Any:
        """Return what a command prints with ``--json``."""
        done = run(self.names, *self.options, *words, "--json")
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def text(self, *words: str, code: int = 0) -> str:
        """Return what a command prints, errors included."""
        done = run(self.names, *self.options, *words)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.mark.parametrize("shared", ["v55", OURS], indirect=True)
def test_commands(shared: tuple[Lab, Cluster]) -> None:
    """Topics, groups, messages, offsets, dead letters and settings."""
    lab, cluster = shared
    admin = Admin(cluster.names.address)
    topic, group = "AdminCli", "G_AdminCli"
    wait_until(lambda: admin.json("broker", "list"), 60, "the broker's registration")
    made = admin.json("topic", "create", topic, "--queues", "2")
    assert len(made["done"]) == 1 and not made["failed"]
    broker = made["done"][0]
    assert "exists already" in admin.text("topic", "create", topic, code=1)

    def is_listed() -> bool:
        return any(each["name"] == topic for each in admin.json("topic", "list"))

    wait_until(is_listed, 60, "the topic at the name server")
    [listed] = [t for t in admin.json("topic", "list") if t["name"] == topic]
    assert (listed["queues"], listed["permission"]) == (2, "rw")
    details = admin.json("topic", "show", topic)
    assert details["settings"][0]["write_queues"] == 2

    admin.json("group", "create", group, "--max-retries", "3")
    admin.json("group", "update", group, "--broadcast")
    shown = admin.json("group", "show", group)
    assert shown["settings"][0]["max_retries"] == 3
    consumer = lab.consumer(OURS, cluster.names, topic=topic, group=group)
    wait_until(lambda: admin.json("group", "lag", group)["members"] == 1, 60, "member")

    ids = [
        admin.json(
            *("message", "send", topic, f"body {n}", "--key", f"k{n}"),
            *("--property", f"i={n}"),
        )
        for n in range(4)
    ]
    stats = admin.json("topic", "stats", topic)
    assert stats["messages"] == 4
    for sent in (ids[0]["message_id"], ids[0]["offset_id"]):
        shown = admin.json("message", "show", sent, "--topic", topic, "--body", "text")
        assert shown["body"] == "body 0" and shown["keys"] == ["k0"]

    def found_by_key() -> list[str]:
        words = ("message", "find", topic, "--key", "k1", "--since", "10m-ago")
        found = admin.json(*words)
        return [each["message_id"] for each in found["messages"]]

    wait_until(lambda: found_by_key() == [ids[1]["message_id"]], 60, "the index")
    page = admin.json("message", "find", topic, "--since", "10m-ago", "--limit", "3")
    more = admin.json("message", "find", topic, "--cursor", page["cursor"])
    assert len(page["messages"]) == 3 and len(more["messages"]) == 1
    at = ids[2]
    [by_offset] = admin.json(
        *("message", "at", topic, f"{at['broker']}/{at['queue_id']}"),
        str(at["queue_offset"]),
    )
    assert by_offset["message_id"] == at["message_id"]

    consumer.wait_for("message", 4)

    def has_consumed() -> bool:
        lag = admin.json("group", "lag", group, "--topic", topic)
        return lag["total"] == 0 and sum(q["committed"] for q in lag["queues"]) == 4

    wait_until(has_consumed, 60, "the offsets of the group")
    [member] = admin.json("group", "members", group)
    assert member["mode"] == "push"
    lag = admin.json("group", "lag", group, "--topic", topic)
    assert {q["owner"] for q in lag["queues"]} == {member["client_id"]}
    state = admin.json("client", "show", group, member["client_id"])
    assert {queue["topic"] for queue in state["queues"]} >= {topic}
    clients = admin.json("client", "list")["clients"]
    assert member["client_id"] in [each["client_id"] for each in clients]
    assert group in admin.text("topic", "groups", topic)
    track = admin.json("message", "track", ids[0]["message_id"], "--topic", topic)
    assert {"group": group, "state": "consumed", "why": ""} in track

    reset = ("group", "reset", group, "--topic", topic, "--to", "earliest")
    assert admin.json(*reset, "--dry-run")["again"] == 4
    assert not admin.json(*reset, "--yes")["failed"]
    consumer.wait_for("message", 8)
    consumer.stop()

    status = admin.json("cluster", "status")
    assert [each["name"] for each in status["brokers"]] == [broker]
    assert status["brokers"][0]["disk_used"] > 0
    [clock] = admin.json("cluster", "clocks")["clocks"]
    assert abs(clock["ahead"]) <= clock["exact_to"] + 1
    assert "brokerName" in admin.text("broker", "config", broker, "brokerName")
    change_settings(admin, broker)
    assert "bootTimestamp" in admin.text("broker", "stats", broker)
    assert admin.json("nameserver", "config")["values"]
    admin.json("nameserver", "put", "space_admin", "k", "v")
    assert "v" in admin.text("nameserver", "keys", "space_admin")
    admin.json("nameserver", "delete", "space_admin", "k", "--yes")
    for words in (
        ("topic", "show", "NoSuchTopic"),
        ("topic", "delete", "NoSuchTopic", "--yes"),
        ("group", "show", "G_no_such"),
        ("group", "lag", "G_no_such"),
        ("group", "delete", "G_no_such", "--yes"),
        ("message", "show", "0" * 32, "--topic", topic),
        ("broker", "config", "no-such"),
    ):
        assert "there is no" in admin.text(*words, code=1)
    groups = [each["name"] for each in admin.json("group", "list")]
    assert group in groups and "G_no_such" not in groups  # asking creates none
    admin.json("group", "delete", group, "--while-online", "--yes")
    admin.json("topic", "delete", topic, "--yes")
    assert "there is no topic" in admin.text("topic", "show", topic, code=1)


def change_settings(admin: Admin, broker: str) -> None:
    """Apache's servers accept what they do not know or cannot use; we say so."""

    def kept() -> Any:
        [values] = admin.json("broker", "config", broker)["values"].values()
        return values["fileReservedTime"]

    words = ("broker", "set", broker, "--yes")
    assert len(admin.json(*words, "fileReservedTime=49")["done"]) == 1
    assert kept() == "49"
    why = admin.text(*words, "fileReserveTime=50", "fileReservedTime=50", code=1)
    assert 'no setting "fileReserveTime": nothing is changed. Did you mean' in why
    assert "fileReservedTime" in admin.text(*words, "fileReservedTime=soon", code=1)
    assert kept() == "49"
    why = admin.text("nameserver", "set", "clusterTests=true", "--yes", code=1)
    assert 'no setting "clusterTests"' in why


@pytest.mark.parametrize("shared", ["v55", OURS], indirect=True)
def test_doctor(shared: tuple[Lab, Cluster]) -> None:
    """A cluster in order has no faults of servers; a missing topic has no route."""
    _, cluster = shared
    admin = Admin(cluster.names.address)
    wait_until(lambda: admin.json("broker", "list"), 60, "the broker's registration")
    done = run(
        cluster.names.address,
        *("doctor", "--json", "--wait", "0", "--group", "none", "--topic", "NoTopic"),
    )
    assert done.returncode == 1, done.stderr
    found = [json.loads(line)["fault"] for line in done.stdout.splitlines()]
    assert set(found) - {"disk-fills", "disk-full"} == {
        "no-route-unknown",
        "not-examined",
    }


def test_unreachable(lab: Lab) -> None:
    """A broker that advertises an address of nobody is found, over real sockets."""
    names = lab.name_server(OURS)
    lab.broker(OURS, names, brokerIP1="192.0.2.1")
    done = run(names.address, "doctor", "--wait", "0", "--timeout", "2")
    assert done.returncode == 1, done.stderr
    assert "[broker-unreachable]" in done.stdout
    assert "192.0.2.1" in done.stdout
    lab.stop(names)
    assert run(names.address, "topic", "list").returncode == 3
