"""What an operator does with ``rocketmq-admin`` on Apache's brokers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .lab import OURS, Cluster, Lab
from .program import Program, wait_for_messages, wait_until
from .test_rocketmq_admin import Admin

RELEASES = pytest.mark.parametrize("shared", ["v49", "v55"], indirect=True)


class Scene:
    """
    One topic with one queue, and one group.

    :ivar admin: runs commands.
    """

    def __init__(self, lab: Lab, cluster: Cluster, name: str) -> None:
        self.lab = lab
        self.cluster = cluster
        self.admin = Admin(cluster.names.address)
        self.topic, self.group = name, f"G_{name}"
        wait_until(lambda: self.admin.json("broker", "list"), 60, "the broker")
        self.admin.json("topic", "create", name, "--queues", "1")
        self.admin.json("group", "create", self.group)
        wait_until(self._is_listed, 60, "the topic")

    def _is_listed(self) -> bool:
        return any(t["name"] == self.topic for t in self.admin.json("topic", "list"))

    def send(self, count: int) -> list[Any]:
        """Send messages with keys and numbers."""
        numbers = [("--key", f"k{n}", "--property", f"i={n}") for n in range(count)]
        return [
            self.admin.json("message", "send", self.topic, f"body {n}", *words)
            for n, words in enumerate(numbers)
        ]

    def consumer(self, group: str = "", **options: Any) -> Program:
        """Start a consumer of ours."""
        group = group or self.group
        return self.lab.consumer(
            OURS, self.cluster.names, topic=self.topic, group=group, **options
        )

    def lag(self, group: str = "") -> Any:
        """Return the lag of a group in the topic."""
        words = ("lag", group or self.group, "--topic", self.topic, "--no-owners")
        return self.admin.json("group", *words)

    def wait_for_lag(self, lag: int, committed: int) -> None:
        """Wait until the group has read so far."""

        def is_there() -> bool:
            [queue] = self.lag()["queues"]
            return (queue["lag"], queue["committed"]) == (lag, committed)

        wait_until(is_there, 60, f"an offset of {committed}")


@RELEASES
def test_dead_letters(shared: tuple[Lab, Cluster]) -> None:
    """Dead letters are listed, shown, sent again once, and consumed."""
    scene = Scene(*shared, "OperatorLetters")
    admin, group = scene.admin, scene.group
    ids = [sent["message_id"] for sent in scene.send(3)]
    failing = scene.consumer(refuse=1, level=-1)
    failing.wait_for("refused", 3)

    def count() -> int:
        queues = admin.json("dlq", "list")["queues"]
        return sum(each["messages"] for each in queues if each["group"] == group)

    wait_until(lambda: count() == 3, 60, "the dead letters")
    failing.stop()
    page = admin.json("dlq", "show", group, "--body", "text")
    letters = {each["body"]: each for each in page["messages"]}
    assert sorted(letters) == ["body 0", "body 1", "body 2"]
    consumer = scene.consumer()
    consumer.wait_for("started", 1)
    first = letters["body 0"]["message_id"]
    one = admin.json("dlq", "resend", group, first, "--yes")
    assert [each["topic"] for each in one["ok"]] == [scene.topic]
    [copy] = wait_for_messages([consumer], 1, 60, quiet=0)
    assert copy["properties"]["i"] == "0"
    assert copy["properties"]["RESENT_OF_GROUP"] == group
    assert copy["properties"]["RESENT_OF_MESSAGE"] in (first, ids[0])

    def is_indexed() -> bool:
        found = admin.json("message", "find", scene.topic, "--key", "k0")
        return len(found["messages"]) == 2

    wait_until(is_indexed, 60, "the index of the copy")
    rest = admin.json("dlq", "resend", group, "--all", "--yes")
    assert (len(rest["ok"]), len(rest["skipped"]), rest["failed"]) == (2, 1, {})
    seen = wait_for_messages([consumer], 3, 60)
    assert sorted(each["properties"]["i"] for each in seen) == ["0", "1", "2"]
    assert count() == 3
    consumer.stop()


@RELEASES
def test_offsets(shared: tuple[Lab, Cluster]) -> None:
    """Messages are found in every way; a group is moved in time, and copied."""
    scene = Scene(*shared, "OperatorOffsets")
    admin, topic, group = scene.admin, scene.topic, scene.group
    sent = scene.send(4)
    consumer = scene.consumer()
    consumer.wait_for("message", 4)
    scene.wait_for_lag(0, 4)
    found = admin.json("message", "find", topic, "--since", "2h-ago")["messages"]
    ids = [each["message_id"] for each in sent]
    assert [each["message_id"] for each in found] == ids
    where = f"{sent[2]['broker']}/{sent[2]['queue_id']}"
    words = (where, str(sent[2]["queue_offset"]))
    [at] = admin.json("message", "at", topic, *words)
    assert at["message_id"] == ids[2]

    def by_key() -> list[str]:
        found = admin.json("message", "find", topic, "--key", "k3")["messages"]
        return [each["message_id"] for each in found]

    wait_until(lambda: by_key() == [ids[3]], 60, "the index")

    back = ("reset", group, "--topic", topic, "--to")
    assert admin.json("group", *back, "2h-ago", "--dry-run")["again"] == 4
    # A connected consumer of 5.x hears of it after 20 s; another test waits for that.
    is_old = admin.json("cluster", "status")["brokers"][0]["version"].startswith("V4")
    if not is_old:
        consumer.stop()
    assert not admin.json("group", *back, "2h-ago", "--yes")["failed"]
    if not is_old:
        consumer = scene.consumer()
    consumer.wait_for("message", 8 if is_old else 4)
    scene.wait_for_lag(0, 4)
    consumer.stop()
    wait_until(lambda: scene.lag()["members"] == 0, 60, "the consumer's end")
    # Nobody is connected now: brokers keep the offset for whoever comes. Those of 4.9
    # can go to a number only so.
    assert not admin.json("group", *back, "offset:1", "--yes")["failed"]
    scene.wait_for_lag(3, 1)
    copied = f"{group}_copy"
    admin.json("group", "create", copied)
    assert admin.json("group", "clone", group, copied, "--yes")["done"] == [topic]
    assert scene.lag(copied)["total"] == 3
    later = scene.consumer(copied)
    lines = wait_for_messages([later], 3, 60)
    assert [each["properties"]["i"] for each in lines] == ["1", "2", "3"]
    later.stop()


@pytest.mark.parametrize("shared", ["v55"], indirect=True)
def test_doctor(shared: tuple[Lab, Cluster]) -> None:
    """Planted faults of groups and topics are found, and no others."""
    scene = Scene(*shared, "OperatorFaults")
    admin, group = scene.admin, scene.group
    scene.send(12)
    consumers = [scene.consumer(expression=each, refuse=1, level=-1) for each in "AB"]
    for each in consumers:
        each.wait_for("started", 1)
    wait_until(lambda: scene.lag()["members"] == 2, 60, "two members")

    def faults(*words: str) -> set[str]:
        done = admin.text("doctor", "--json", "--wait", "0", *words, code=1)
        lines = [line for line in done.splitlines() if line.startswith("{")]
        return {json.loads(each)["fault"] for each in lines} - {
            "disk-fills",
            "disk-full",
            "not-examined",
        }

    expected = {"subscriptions-differ", "too-many-consumers"}
    assert faults("--group", group) == expected
    admin.json("group", "update", group, "--no-consume")
    assert faults("--group", group) == expected | {"consuming-forbidden"}
    admin.json("group", "update", group, "--consume")
    for each in consumers:
        each.stop()
    failing = scene.consumer(f"{group}_2", refuse=1, level=-1)
    failing.wait_for("refused", 12)
    failing.stop()
    reset = ("reset", f"{group}_2", "--topic", scene.topic, "--to", "earliest", "--yes")
    admin.json("group", *reset)
    expected = {"nobody-consumes", "dead-letters"}
    wait_until(lambda: faults("--group", f"{group}_2") == expected, 60, "the letters")
    admin.json("topic", "update", scene.topic, "--permission", "r")
    wait_until(
        lambda: (
            faults("--group", "none", "--topic", scene.topic)
            == {"no-route-not-writable"}
        ),
        60,
        "the name server's news",
    )
