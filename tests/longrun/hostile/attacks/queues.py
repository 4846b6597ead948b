"""Topics and queues in legal numbers: what has to be made, kept and deleted."""

from __future__ import annotations

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, message, request


def _create(topic: str, queues: int = 4, **changed: object) -> bytes:
    """Encode the creation of a topic."""
    ext = {"topic": topic, "defaultTopic": "TBW102", "perm": "6", "order": "false"}
    ext |= {"readQueueNums": str(queues), "writeQueueNums": str(queues)}
    ext |= {"topicFilterType": "SINGLE_TAG", "topicSysFlag": "0"}
    return request(RequestCode.UPDATE_AND_CREATE_TOPIC, ext | changed)


@attack("9 first messages into 8,000 queues", seconds=15, growth=128)
def many_queues(target: Target) -> str:
    """One topic; a message into each of its queues."""
    Peer(target.broker).ask(_create("Wide", 8000))
    sends = (message("Wide", e=str(n)) for n in target.rounds(0.0, 8000))
    return f"{Peer(target.broker).ask_all(sends)} sent"


@attack("9 a topic of 8,000 queue files deleted", seconds=6)
def deleted_queues(target: Target) -> None:
    """Deleted while others send to it, and made again."""
    peer = Peer(target.broker)
    peer.ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, {"topic": "Wide"}))
    for number in target.rounds(0.2):
        peer.ask(_create("Wide", 100))
        peer.ask_all(message("Wide", e=str(n)) for n in range(100))
        peer.ask(request(RequestCode.DELETE_TOPIC_IN_BROKER, {"topic": "Wide"}))
        del number


@attack("9 statistics of 65,535 queues", seconds=6, growth=256)
def wide_statistics(target: Target) -> None:
    """Offsets of a topic with as many queues as there may be, for many at once."""
    Peer(target.broker).ask(_create("Widest", 65_535))
    ask = request(RequestCode.GET_TOPIC_STATS_INFO, {"topic": "Widest"})
    ask += request(208, {"consumerGroup": "bystanders", "topic": "Widest"})
    target.flood(ask * 2, target.broker, connections=2)


@attack("4 creations of 2,000 topics", seconds=10, growth=128)
def created_topics(target: Target) -> str:
    """By an administrator's request, each of which waits for its route."""
    creations = (_create(f"created-{n}") for n in target.rounds(0.0, 2000))
    return f"{Peer(target.broker).ask_all(creations, 16)} created"


@attack("4 topics created by sends", seconds=20, growth=256)
def sent_topics(target: Target) -> str:
    """Ever new topics of 127 characters; each is created by a message."""
    sends = (message(f"sent-{n}-".ljust(127, "x")) for n in target.rounds(0.0, 50_000))
    return f"{Peer(target.broker).ask_all(sends)} created"


@attack("4 tables after many topics", seconds=6, growth=256)
def tables_of_topics(target: Target) -> None:
    """What is asked for each topic and for all, now that there are many."""
    chunk = b"".join(request(code) for code in (21, 26, 28, 43, 201, 305))
    target.flood(chunk, target.broker, connections=2)


@attack("topics changed all the time", seconds=5)
def changed_topics(target: Target) -> None:
    """Queues, permissions and attributes of one topic, as fast as it is taken."""
    peer = Peer(target.broker)
    peer.ask_all(
        _create("Changed", 1 + n % 16, perm=str(n % 8), attributes=f"+a{n % 5}=b{n}")
        for n in target.rounds(0.001)
    )


@attack("deleted topics that never were", seconds=4, is_short=True)
def deleted_unknown(target: Target) -> None:
    """Deletions of topics, groups and offsets that do not exist."""
    chunk = b"".join(
        request(215, {"topic": f"never-{n}"})
        + request(207, {"groupName": f"never-{n}", "cleanOffset": "true"})
        for n in range(200)
    )
    target.flood(chunk, target.broker, connections=2)
