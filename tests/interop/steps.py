"""What the tests of Go and of Node do alike."""

from __future__ import annotations

import os
from typing import Any

import pytest

from . import foreign
from .corpus import check_contents, check_once
from .lab import Cluster, Lab, Server
from .program import Program, messages, wait_for_messages, wait_until
from .test_mixed_group import assignment, shares
from .test_round_trip import check_places

QUEUES = 8

#: A little of everything, for tests of who may connect, and send.
SECURED_PLAN, SECURED_COUNT = "sync:20,async:20,oneway:20,batch:20", 80


def build(make: str) -> None:
    """Build the programs of a make; without its tools, skip (but fail under CI)."""
    missing = foreign.missing_tools(make)
    if missing:
        reason = f"proof against the {make} client needs {' and '.join(missing)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    foreign.build(make)


def started(members: list[Program]) -> list[Program]:
    """Wait until consumers have started."""
    for member in members:
        member.wait_for("started")
    return members


def secured_round_trip(
    lab: Lab, names: Server, make: str, topic: str, options: dict[str, Any]
) -> None:
    """
    Send to a topic that the first message creates; receive each once, unchanged.

    :param options: what lets programs connect, and sign.
    """
    sending = {"topic": topic, "seed": topic, "plan": SECURED_PLAN}
    lab.sender(make, names, **sending, **options).finish()
    consumer = lab.consumer(make, names, topic=topic, group=f"G_{topic}", **options)
    lines = wait_for_messages([consumer], SECURED_COUNT, 60)
    consumer.stop()
    check_once(range(SECURED_COUNT), lines)
    check_contents(topic, lines)


def check_refused(
    lab: Lab,
    names: Server,
    make: str,
    options: dict[str, Any],
    topic: str = "Refused",
    plan: str = "sync:1",
) -> None:
    """Nothing is sent."""
    program = lab.sender(make, names, topic=topic, plan=plan, **options)
    with pytest.raises(AssertionError):
        program.finish()
    assert not program.events("sent")


def wait_until_sent(
    lab: Lab, names: Server, make: str, topic: str, options: dict[str, Any]
) -> None:
    """Wait for a broker with a route that accepts a message of a program."""

    def is_sent() -> bool:
        program = lab.sender(make, names, topic=topic, plan="sync:1", **options)
        try:
            program.finish()
        except AssertionError:
            return False
        return True

    wait_until(is_sent, 60, f"a broker that accepts a message from {make}")


def round_trip(
    lab: Lab, cluster: Cluster, sender: str, receivers: list[str], plan: str
) -> None:
    """Send 1,000 messages; each receiver, a group of its own, gets each once."""
    topic = f"Trip_{sender}_{'_'.join(receivers)}"
    lab.make_topic(cluster.names, topic, queues=4)
    consumers = started(
        [
            lab.consumer(make, cluster.names, topic=topic, group=f"G_{topic}_{make}")
            for make in receivers
        ]
    )
    program = lab.sender(sender, cluster.names, topic=topic, seed=topic, plan=plan)
    program.finish()
    for consumer in consumers:
        lines = wait_for_messages([consumer], 1000, 60, quiet=0.5)
        consumer.stop()
        check_once(range(1000), lines)
        check_contents(topic, lines)
        check_places(program, lines)


def tags(lab: Lab, cluster: Cluster, make: str, plan: str) -> None:
    """Send 300 messages to a topic, made or not; read those of two tags."""
    topic = f"Tags_{make}"
    lab.sender(make, cluster.names, topic=topic, plan=plan).finish()
    wanted = [i for i in range(300) if i % 10 != 9 and i % 3 != 1]
    options = {"topic": topic, "group": f"G_{topic}", "expression": "TagA || TagC"}
    consumer = lab.consumer(make, cluster.names, **options)
    lines = wait_for_messages([consumer], len(wanted), 60)
    consumer.stop()
    check_once(wanted, lines)
    check_contents("s", lines)


def sent_back(lab: Lab, cluster: Cluster, make: str) -> None:
    """A quarter of 60 messages, 20 of them delayed, is refused and comes again."""
    topic = f"SentBack_{make}"
    options = {"topic": topic, "group": f"G_{topic}", "refuse": 4}
    lab.make_topic(cluster.names, topic, queues=4)
    # A first member makes the broker create the retry topic: one that finds it when
    # it starts reads it at once, else only when it asks for routes again (30 s).
    first = lab.consumer(make, cluster.names, **options)
    wait_until(lambda: len(assignment(first, topic)) == 4, 60, "all queues")
    first.stop()
    consumer = lab.consumer(make, cluster.names, **options)
    lab.sender(make, cluster.names, topic=topic, plan="sync:40,delayed:20").finish()
    lines = wait_for_messages([consumer], 60, 60)
    consumer.stop()
    check_once(range(60), lines)
    check_contents("s", lines)
    refused = sorted(line["i"] for line in consumer.events("refused"))
    assert refused == list(range(0, 60, 4))
    again = [line for line in lines if int(line["properties"]["i"]) % 4 == 0]
    assert {line["reconsumeTimes"] for line in again} == {1}


def mixed_group(lab: Lab, cluster: Cluster, makes: list[str]) -> None:
    """
    Four members share the queues of a group; then the first one leaves.

    Before and after, each queue has one owner, and each message comes once. What the
    first one received never comes again: it committed its offsets when it left. (What
    the others had received may: a queue can change hands before its offset is known.)
    """
    topic = f"Mixed_{'_'.join(makes)}"
    lab.make_topic(cluster.names, topic, QUEUES)
    members = started(
        [
            lab.consumer(make, cluster.names, topic=topic, group=f"G_{topic}")
            for make in makes
        ]
    )
    wait_until(lambda: shares(members, topic) == [2, 2, 2, 2], 60, "equal shares")
    check_owners(members, topic)
    options = {"topic": topic, "seed": topic, "plan": "sync:500"}
    lab.sender(makes[0], cluster.names, **options).finish()
    check_once(range(500), wait_for_messages(members, 500, 60, quiet=0.5))
    leaver, *rest = members
    leaver.stop()
    wait_until(lambda: sum(shares(rest, topic)) == QUEUES, 60, "all queues")
    check_owners(rest, topic)
    lab.sender(makes[0], cluster.names, **options, **{"from": 500}).finish()
    wait_until(lambda: len(second_half(rest)) >= 500, 60, "500 messages")
    lines = wait_for_messages(rest, 500, 1, quiet=0.5)
    check_contents(topic, lines)
    check_once(range(500, 1000), second_half(rest))
    assert not numbers(messages(leaver)) & numbers(lines)
    for member in rest:
        member.stop()


def numbers(lines: list[dict[str, Any]]) -> set[str]:
    """Return the numbers of received messages."""
    return {line["properties"]["i"] for line in lines}


def second_half(members: list[Program]) -> list[dict[str, Any]]:
    """Return the lines of messages 500 and up."""
    return [line for line in messages(*members) if int(line["properties"]["i"]) >= 500]


def check_owners(members: list[Program], topic: str) -> None:
    """Each queue of the topic is held by exactly one member."""
    owned = [queue for member in members for queue in assignment(member, topic)]
    assert len(owned) == len(set(owned)) == QUEUES, owned


def transactions(lab: Lab, cluster: Cluster, make: str) -> None:
    """
    Committed messages are delivered, rolled back ones are not.

    One without a verdict is committed when the broker asks another producer of the
    group, after that which has sent it was killed.
    """
    topic = f"Transactions_{make}"
    lab.make_topic(cluster.names, topic, queues=4)
    consumer = lab.consumer(make, cluster.names, topic=topic, group=f"G_{topic}")
    consumer.wait_for("started")
    options = {"topic": topic, "group": f"P_{topic}", "linger": 60}
    other = lab.sender(make, cluster.names, plan="commit:1", **options)
    other.wait_for("sent")
    plan = {"plan": "commit:10,rollback:10,check:1", "from": 1}
    sender = lab.sender(make, cluster.names, **plan, **options)
    sender.wait_for("sent", 21)
    sender.kill()
    lines = wait_for_messages([consumer], 12, 60, quiet=2)
    consumer.stop()
    check_once([*range(11), 21], lines)
    check_contents("s", lines)
    assert [line["i"] for line in other.events("checked")] == [21]
