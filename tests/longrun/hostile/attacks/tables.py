"""Clients, groups, locks and offsets that nobody has: tables that grow by requests."""

from __future__ import annotations

import json

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, request

_BEAT = RequestCode.HEART_BEAT


def _consumer(group: str, *topics: str) -> dict[str, object]:
    """Return a consumer of a heartbeat."""
    subscriptions = [{"topic": topic, "subString": "*"} for topic in topics]
    return {
        "groupName": group,
        "consumeType": "CONSUME_PASSIVELY",
        "messageModel": "CLUSTERING",
        "consumeFromWhere": "CONSUME_FROM_LAST_OFFSET",
        "subscriptionDataSet": subscriptions,
    }


def _heartbeat(
    client: str, consumers: list[dict[str, object]], producers: list[str] | None = None
) -> bytes:
    """Encode a heartbeat."""
    named = [{"groupName": name} for name in producers or []]
    body = {"clientID": client, "producerDataSet": named, "consumerDataSet": consumers}
    return request(_BEAT, None, json.dumps(body).encode())


@attack("3 a heartbeat of 100,000 groups")
def many_groups(target: Target) -> None:
    """More groups than a connection may have, in a body of the largest size."""
    data = json.dumps([{"groupName": f"g{n}"} for n in range(60_000)])
    body = f'{{"clientID":"c","consumerDataSet":{data}}}'.encode()[: 1 << 20]
    large = json.dumps([{"groupName": f"group{n}"} for n in range(100_000)])
    whole = f'{{"clientID":"c","consumerDataSet":{large}}}'.encode()
    short = json.dumps([{"groupName": f"g{n}"} for n in range(45_000)])
    fits = f'{{"clientID":"c","producerDataSet":{short}}}'.encode()
    for _ in target.rounds():
        for each in (body, whole, fits):
            target.ask(target.broker, request(_BEAT, None, each))


@attack("3 heartbeats of 1,000 groups each", seconds=8, growth=128)
def legal_groups(target: Target) -> str:
    """As many as a connection may have, until no more groups are created."""
    for number in target.rounds(0.1, 25):
        groups = [_consumer(f"legal-{number}-{n}", "Bystander") for n in range(1000)]
        target.ask(target.broker, _heartbeat("legal", groups))
    return f"{number + 1},000 groups"


@attack("heartbeats of 5,000 made-up clients", seconds=6, growth=128)
def made_up_clients(target: Target) -> None:
    """One connection says each time that it is another client, of another group."""
    peer = Peer(target.broker)
    peer.ask_all(
        _heartbeat(f"client-{n}", [_consumer("made-up", "T")], [f"producer-{n % 900}"])
        for n in target.rounds(0.0, 10_000)
    )
    peer.close()


@attack("a group of 1,000 members", seconds=10, growth=128)
def notify_flood(target: Target) -> None:
    """Every member that comes and goes is notified to all others, who do not read."""
    peers = [Peer(target.broker) for _ in range(1000)]
    for number, peer in enumerate(peers):
        peer.ask(_heartbeat(f"member-{number}", [_consumer("crowd", "T")]))
    for number in target.rounds(0.001):
        topics = ("T", f"T{number}")
        peers[number % 1000].send(_heartbeat("member", [_consumer("crowd", *topics)]))
        listing = request(
            RequestCode.GET_CONSUMER_LIST_BY_GROUP, {"consumerGroup": "crowd"}
        )
        peers[number % 1000].send(listing)
    for peer in peers:
        peer.reset()


@attack("heartbeats with long names", seconds=6, growth=256)
def long_names(target: Target) -> None:
    """Names of producers, clients, topics and tags of nearly 1 MiB, ever new ones."""
    long = "x" * 900_000
    peer = Peer(target.broker)
    for number in target.rounds(0.005, 900):
        peer.ask(_heartbeat("c", [], [f"{number}-{long}"]))
        peer.ask(_heartbeat(f"{number}-{long}", [_consumer(f"long-{number}", "T")]))
        topic = f"{number}-{long}"
        peer.ask(_heartbeat("c", [_consumer(f"long-{number}", topic)]))
    peer.close()


@attack("heartbeats with many subscriptions", seconds=6, growth=256)
def many_subscriptions(target: Target) -> None:
    """20,000 topics in each of many groups."""
    topics = [f"T{n}" for n in range(20_000)]
    peer = Peer(target.broker)
    for number in target.rounds(0.05, 100):
        peer.ask(_heartbeat("c", [_consumer(f"many-{number}", *topics)]))
    peer.close()


@attack("locks of 10,000 queues", seconds=6, growth=256, is_short=True)
def lock_batches(target: Target) -> None:
    """Locked and unlocked, of ever new groups."""
    queues = [
        {"topic": "Locked", "brokerName": "vm", "queueId": n} for n in range(10_000)
    ]
    body = {"consumerGroup": "locks", "clientId": "c", "mqSet": queues}
    text = json.dumps(body)
    peer = Peer(target.broker)
    for number in target.rounds(0.2):
        data = text.replace("locks", f"locks-{number}").encode()
        peer.ask(request(RequestCode.LOCK_BATCH_MQ, None, data))
        if number % 2:
            peer.ask(request(RequestCode.UNLOCK_BATCH_MQ, None, data))
    peer.close()


@attack("locks of 1,000 groups", growth=128)
def locks_of_many_groups(target: Target) -> None:
    """Small batches of ever new groups and clients."""
    queues = [{"topic": "Locked", "brokerName": "vm", "queueId": n} for n in range(100)]
    peer = Peer(target.broker)
    peer.ask_all(
        request(
            41,
            None,
            json.dumps(
                {"consumerGroup": f"l{n}", "clientId": "c", "mqSet": queues}
            ).encode(),
        )
        for n in target.rounds(0.0, 5000)
    )
    peer.close()


@attack("9 offsets of 40,000 made-up groups", seconds=10, growth=128)
def made_up_offsets(target: Target) -> str:
    """Committed for a topic that exists, and for queues that do not."""
    ext = {"topic": "Bystander", "queueId": "0", "commitOffset": "1"}
    commits = (
        request(15, ext | {"consumerGroup": f"made-up-{n % 40_000}"})
        for n in target.rounds(0.0, 40_000)
    )
    found = Peer(target.broker).ask_all(commits)
    odd = (
        request(15, ext | {"consumerGroup": "bystanders", "queueId": str(number)})
        for number in [*range(4, 3000), -1, (1 << 31) - 1, 1 << 31]
    )
    more = Peer(target.broker).ask_all(odd)
    return f"{found} accepted, of queues that do not exist {more}"


@attack("15 committed offsets below zero", is_short=True)
def negative_offsets(target: Target) -> str:
    """Committed by a group of its own, and asked for again."""
    peer = Peer(target.broker)
    ext = {"topic": "Bystander", "queueId": "0", "consumerGroup": "negative"}
    for offset in (-1, -2, -(1 << 31), -(1 << 63), (1 << 63) - 1, -1):
        peer.ask(request(15, ext | {"commitOffset": str(offset)}))
    response = peer.ask(request(14, ext | {"setZeroIfNotFound": "false"}))
    assert response is not None
    assert response.code == 22, response
    return "then it has no offset"


@attack("9 tables for administrators", seconds=6, growth=256)
def admin_tables(target: Target) -> None:
    """All that return whole tables, again and again."""
    chunk = b"".join(request(code) for code in (21, 26, 28, 43, 201, 305))
    for topic in ("Bystander", "SCHEDULE_TOPIC_XXXX", "none"):
        chunk += request(202, {"topic": topic})
        chunk += request(208, {"consumerGroup": "bystanders", "topic": topic})
    chunk += request(208, {"consumerGroup": "bystanders"})
    for group in ("bystanders", "crowd"):
        chunk += request(203, {"consumerGroup": group}) + request(
            38, {"consumerGroup": group}
        )
    target.flood(chunk, target.broker, connections=2)
