"""Two clients of one group that subscribe to something else, over real connections."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections, Heartbeat
from tests.longrun.broker import Broker, Link


def beat(link: Link, client_id: str, tag: str) -> Command:
    """Send the heartbeat of a client that subscribes to a tag."""
    consumer = ConsumerData(
        "G",
        consume_type=ConsumeType.CONSUME_PASSIVELY,
        message_model=MessageModel.CLUSTERING,
        subscription_data_set=(parse("T", tag, 1),),
    )
    body = HeartbeatData(client_id, consumer_data_set=(consumer,)).encode()
    return link.ask(Heartbeat(body=body))


def members(link: Link) -> ConsumerConnection:
    """Return who is in the group."""
    answer = link.ask(GetConsumerConnections("G"))
    assert answer.code == 0, answer
    return ConsumerConnection.decode(answer.body)


@pytest.mark.parametrize("action", ["warn", "reject"])
def test_conflict(tmp_path: Path, action: str) -> None:
    """It is logged and shown, or refused as long as the first client is there."""
    broker = Broker(tmp_path, subscriptionConflict=action)
    broker.start()
    try:
        one, other = broker.link(), broker.link()
        assert beat(one, "first", "a").code == 0
        answer = beat(other, "second", "b")
        found = members(one)
        ids = {each.client_id for each in found.connection_set}
        if action == "warn":
            assert answer.code == 0
            assert ids == {"first", "second"}
            assert found.subscription_conflicts
        else:
            assert (answer.code, "first" in (answer.remark or "")) == (29, True)
            assert ids == {"first"}
            one.close()
            until = time.monotonic() + 90
            while beat(other, "second", "b").code:
                assert time.monotonic() < until, "still refused"
                time.sleep(0.05)
        said = broker.log.read_text()
        assert "subscription conflict in the group G: second" in said, said[-2000:]
    finally:
        broker.stop()
