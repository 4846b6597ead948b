"""Java pops from our broker, and our client from that of Apache RocketMQ."""

from __future__ import annotations

import pytest

from rocketmq_tw.wire.receipts import Receipt, parse_starts
from rocketmq_tw.wire.requests.pop import AckMessage, PopMessage

from .corpus import check_contents, check_once
from .lab import Cluster, Lab
from .pairs import some
from .program import messages, wait_for_messages
from .requests import asked

COUNT = 300


@pytest.mark.parametrize("shared", ["ours"], indirect=True)
def test_java_pops(shared: tuple[Lab, Cluster]) -> None:
    """
    It gets each message once, and those again that it refuses.

    They come again from the retry topic, after the shortest time of its client, 10 s.
    """
    lab, cluster = shared
    topic, group = "Popped", "G_Popped"
    lab.make_topic(cluster.names, topic, queues=4)
    said = lab.admin(
        cluster.names,
        f"setConsumeMode -c DefaultCluster -t {topic} -g {group} -m POP -q 0",
        "v55",
    )
    assert "success" in said, said
    consumer = lab.consumer(
        "v55",
        cluster.names,
        topic=topic,
        group=group,
        rebalance="broker",
        refuse=100,
    )
    consumer.wait_for("started")
    lab.sender(
        "v49", cluster.names, topic=topic, seed=topic, plan=f"sync:{COUNT}"
    ).finish()
    lines = wait_for_messages([consumer], COUNT, 60)
    consumer.stop()
    check_once(range(COUNT), lines)
    check_contents(topic, lines)
    again = {int(line["properties"]["i"]) for line in lines if line["reconsumeTimes"]}
    assert again == {0, 100, 200}


@pytest.mark.parametrize("shared", ["v55"], indirect=True)
def test_we_pop_from_apache(shared: tuple[Lab, Cluster]) -> None:
    """Our simple consumer gets each message once, and those again that it refuses."""
    lab, cluster = shared
    topic = "Received"
    lab.make_topic(cluster.names, topic, queues=4)
    lab.sender("ours", cluster.names, topic=topic, seed=topic, plan="sync:100").finish()
    receiver = lab.receiver(
        cluster.names, topic=topic, group=f"G_{topic}", count=100, refuse=50
    )
    receiver.finish()
    lines = messages(receiver)
    check_once(range(100), lines)
    check_contents(topic, lines)
    again = {int(line["properties"]["i"]) for line in lines if line["reconsumeTimes"]}
    assert again == {0, 50}
    assert receiver.events("done")[0]["rest"] == 0


@pytest.mark.parametrize("shared", ["ours", "v55"], indirect=True)
def test_priorities(shared: tuple[Lab, Cluster]) -> None:
    """
    What Java 5.5 sends with a priority comes in its order, to Java and to us.

    Of five priorities in four queues the two highest are one; within a queue the order
    is that of the sends.
    """
    lab, cluster = shared
    topic, count = "Urgent", 30
    pops = f"setConsumeMode -c DefaultCluster -t {topic} -g J_{topic} -m POP -q 0"
    for command in (
        f"updateTopic -c DefaultCluster -t {topic} -r 4 -w 4 -a +message.type=PRIORITY",
        pops,
    ):
        said = lab.admin(cluster.names, command, "v55")
        assert "success" in said, said
    plan = {"topic": topic, "plan": f"priority:{count}"}
    sender = lab.sender("v55", cluster.names, **plan)
    sender.finish()
    sent = sender.events("sent")
    assert [line["queueId"] for line in sent] == [min(i % 5, 3) for i in range(count)]
    expected = sorted(range(count), key=lambda i: -min(i % 5, 3))
    options = {"topic": topic, "rebalance": "broker", "threads": 1}
    java = lab.consumer("v55", cluster.names, group=f"J_{topic}", **options)
    lines = wait_for_messages([java], count, 60)
    java.stop()
    receiver = lab.receiver(cluster.names, topic=topic, group=f"G_{topic}", count=count)
    receiver.finish()
    for seen in (lines, messages(receiver)):
        assert [int(line["properties"]["i"]) for line in seen] == expected
        check_contents("s", seen)


@pytest.mark.parametrize(
    ("writer", "reader"), some([("v55", "ours"), ("ours", "v55")], 1)
)
def test_in_flight_moves(lab: Lab, writer: str, reader: str) -> None:
    """
    What is in flight when a broker stops comes again from the next one.

    What was acknowledged comes no more.
    """
    names = lab.name_server("v49")
    store = lab.scratch / "store"
    broker = lab.broker(writer, names, "broker-moved", store)
    lab.make_topic(names, "Moved", queues=1)
    lab.sender("ours", names, topic="Moved", seed="Moved", plan="sync:8").finish()
    port = broker.address.rpartition(":")[2]
    popped = PopMessage("G", "Moved", -1, 8, 8_000, 0)
    found = asked(int(port), popped).fields
    assert isinstance(found, dict)
    ((_, start),) = parse_starts(found["startOffsetInfo"]).items()
    for offset in (0, 3, 7):
        receipt = Receipt(
            start_offset=start,
            pop_time_ms=int(found["popTime"]),
            invisible_ms=8_000,
            revive_queue=int(found["reviveQid"]),
            retry=0,
            broker_name="broker-moved",
            queue_id=0,
            offset=offset,
        )
        ack = AckMessage("G", "Moved", 0, receipt.encode(), offset)
        assert asked(int(port), ack).code == 0
    lab.stop(broker)
    broker = lab.broker(reader, names, "broker-moved", store)
    lab.wait_for_route(names, "Moved", broker)
    receiver = lab.receiver(names, topic="Moved", group="G", count=5)
    receiver.finish()
    check_once((1, 2, 4, 5, 6), messages(receiver))
    assert receiver.events("done")[0]["rest"] == 0
