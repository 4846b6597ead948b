"""Pulls and queries: many that wait, and many that are costly to carry out."""

from __future__ import annotations

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, fields, message, pull, request

_LONG = (1 << 63) - 1
_NEVER = str(1 << 40)


@attack("6 held pulls on one queue", seconds=10, growth=256)
def held_pulls(target: Target) -> str:
    """Six connections with 19,000 held pulls each, and sends to that queue."""
    sender = Peer(target.broker)
    sender.ask(message("Held"))
    offset = fields(sender.ask(message("Held"))).get("queueOffset", 0)
    held = pull("Held", 30_000, queueOffset=str(int(offset) + 1))
    peers = [Peer(target.broker) for _ in range(6)]
    for peer in peers:
        peer.send(held * 19_000)
    for _ in target.rounds(0.2):
        sender.ask(message("Held"))
    for peer in peers:
        peer.reset()
    return "a message woke them five times a second"


@attack("6 held pulls of tags that no message has", seconds=8, growth=256)
def held_pulls_of_tags(target: Target) -> None:
    """The same with 1,000 tags each: every message is compared with all."""
    tags = "||".join(f"tag{n}" for n in range(1000))
    held = pull("HeldTags", 30_000, subscription=tags, queueOffset="1")
    sender = Peer(target.broker)
    sender.ask(message("HeldTags"))
    peers = [Peer(target.broker) for _ in range(6)]
    for peer in peers:
        for _ in range(300):
            peer.send(held)
    for _ in target.rounds(0.05):
        sender.ask(message("HeldTags", i="TAGS\x01other\x02"))
    for peer in peers:
        peer.reset()


@attack("pulls held for 2^63 ms", growth=128)
def long_held_pulls(target: Target) -> None:
    """Times to wait that are endless, negative or no number."""
    times = [_LONG, -_LONG, 0, 1 << 63, 1 << 31, "x", "1e30"]
    peers = [Peer(target.broker) for _ in range(20)]
    for _ in target.rounds(0.2):
        for peer in peers:
            for time in times:
                peer.send(pull("Bystander", 1, queueOffset=_NEVER, sysFlag="7") * 5)
                more = {"suspendTimeoutMillis": str(time), "queueOffset": _NEVER}
                peer.send(pull("Bystander", 1, **more) * 20)
    for peer in peers:
        peer.reset()


@attack("8 subscriptions of 15 MiB")
def long_subscriptions(target: Target) -> None:
    """Different each time, so that a cache would keep them."""
    for number in target.rounds(0.1):
        tags = f"tag{number}||" + "x||" * (5 << 20)
        target.ask(target.broker, pull("Bystander", subscription=tags))


@attack("8 subscriptions as long as is let in", is_short=True, growth=128)
def hostile_subscriptions(target: Target) -> None:
    """60,000 characters each: bars, many tags, brackets, and SQL."""
    texts = ["|" * 60_000, "||" * 30_000, "a||" * 20_000, " " * 60_000, "*" * 60_000]
    texts += [
        "(" * 60_000,
        "NOT " * 15_000,
        "a=1 OR " * 8000,
        "'" * 60_000,
        "-" * 60_000,
    ]
    peer = Peer(target.broker)
    for number in target.rounds(0.01):
        for kind in ("TAG", "SQL92", "SQL", "\x00", "x" * 9000):
            for text in texts:
                tags = f"t{number}||" + "||".join(f"t{n}" for n in range(8000))
                peer.ask(pull("Bystander", subscription=text, expressionType=kind))
                peer.ask(pull("Bystander", subscription=tags[:60_000]))


@attack("pulls that skip everything")
def filtering_pulls(target: Target) -> None:
    """Pulls from the start of a queue with a tag that no message has."""
    sender = Peer(target.broker)
    sender.ask_all(message("Skip", i="TAGS\x01other\x02") for _ in range(20_000))
    target.flood(pull("Skip", subscription="none") * 20, target.broker)


@attack("queries by key")
def key_queries(target: Target) -> None:
    """Keys, times and numbers of all sizes, many at once."""
    keys = [
        "k",
        "",
        "x" * 30_000,
        "*",
        "k#k",
        "\x00",
        " ".join("k" * 1000),
        "k" * 65_536,
    ]
    spans = [(0, _LONG), (_LONG, 0), (-_LONG - 1, _LONG), (0, 0), (-1, -1)]
    sender = Peer(target.broker)
    sender.ask_all(message("Keys", i="KEYS\x01k\x02") for _ in range(3000))
    peers = [Peer(target.broker) for _ in range(10)]
    for _ in target.rounds(0.05):
        for peer in peers:
            for key in keys:
                for begin, end in spans:
                    ext = {"topic": "Keys", "key": key, "maxNum": str((1 << 31) - 1)}
                    ext |= {"beginTimestamp": str(begin), "endTimestamp": str(end)}
                    peer.send(request(RequestCode.QUERY_MESSAGE, ext))
        for peer in peers:
            for _ in range(len(keys) * len(spans)):
                peer.receive()


@attack("forged ids and offsets", is_short=True)
def forged_offsets(target: Target) -> None:
    """Records viewed and sent back at offsets between records, and far away."""
    offsets = [*range(200), -1, _LONG, -_LONG - 1, 1 << 40, 439_000, 1 << 30]
    peer = Peer(target.broker)
    for number in target.rounds(0.01):
        for offset in offsets:
            at = str(offset + number)
            peer.ask(request(RequestCode.VIEW_MESSAGE_BY_ID, {"offset": at}))
            ext = {"offset": at, "group": "forged", "delayLevel": "0"}
            ext |= {"originMsgId": "0" * 32, "originTopic": "Other"}
            peer.ask(request(RequestCode.CONSUMER_SEND_MSG_BACK, ext))


@attack("offsets by time")
def search_offsets(target: Target) -> None:
    """Searches in queues that exist and that do not, at all times."""
    times = [-_LONG - 1, -1, 0, 1, 1 << 41, _LONG, 10**12]
    chunk = [
        request(code, {"topic": topic, "queueId": queue, "timestamp": str(time)})
        for code in (29, 30, 31, 32)
        for topic in ("Bystander", "none", "Skip")
        for queue in ("0", "-1", str((1 << 31) - 1))
        for time in times
    ]
    target.flood(b"".join(chunk), target.broker)
