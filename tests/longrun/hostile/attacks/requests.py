"""Whole requests in numbers, or in an order, that no client sends."""

from __future__ import annotations

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, message, pull, request

_ONE_WAY = 2
_RESPONSE = 1


@attack("flood of unknown codes", is_short=True)
def flood_of_unknown_codes(target: Target) -> None:
    """Requests that nobody handles."""
    target.flood(b"".join(request(code) for code in range(20_000, 20_400)))


@attack("flood of known requests")
def flood_of_requests(target: Target) -> None:
    """The cheapest request of all, as fast as it is taken."""
    ask = request(RequestCode.GET_MAX_OFFSET, {"topic": "none", "queueId": "0"})
    target.flood(ask * 400)


@attack("flood of one-way requests", is_short=True)
def flood_of_one_way_requests(target: Target) -> None:
    """Requests that get no response, known and unknown, and failing ones."""
    ext = {"topic": "none", "queueId": "x"}
    chunk = request(RequestCode.GET_MAX_OFFSET, ext, flag=_ONE_WAY) * 200
    target.flood(chunk + request(20_000, flag=_ONE_WAY) * 200)


@attack("responses that nobody waits for", is_short=True)
def unexpected_responses(target: Target) -> None:
    """Responses with the numbers that others' requests may have."""
    numbers = [*range(200), -1, (1 << 31) - 1, -(1 << 31)]
    chunk = [request(0, flag=_RESPONSE, opaque=number) for number in numbers]
    chunk += [request(1, flag=3, opaque=number, remark="no") for number in numbers]
    target.flood(b"".join(chunk))


@attack("large responses that nobody waits for", growth=600)
def large_responses(target: Target) -> None:
    """Responses of 8 MiB."""
    data = request(0, None, bytes(8 << 20), flag=_RESPONSE, opaque=3)
    target.repeat(data)


@attack("the same number again and again")
def equal_opaques(target: Target) -> None:
    """Held pulls and other requests, all of the same opaque number."""
    held = pull("Bystander", 1000, queueOffset=str(1 << 40))
    target.flood(held * 100 + message("Equal") * 100, target.broker, connections=2)


@attack("every code with nothing in it", is_short=True)
def empty_requests(target: Target) -> None:
    """All codes up to 1,000 without a field and without a body, and with odd ones."""
    for _ in target.rounds():
        for port in target.ports:
            for body in (b"", b"{", b"null", b"[]", b"{}", b"\x78\x9c"):
                peer = Peer(port)
                for code in range(1000):
                    if not peer.send(request(code, None, body)):
                        break
                peer.half_close()
                while peer.receive() is not None:
                    pass
                peer.close()


@attack("names that are paths")
def path_names(target: Target) -> None:
    """Topics, groups and clients named like files, options and formats."""
    names = ["../../../etc/passwd", "..", ".", "/", "a/b", "a\\b", "~", "{0}", "%s%n"]
    names += ["{log_source}", "$(reboot)", "x\n2026 forged line", "\x1b[2J", "T@G", ""]
    names += ["%RETRY%", "%DLQ%x", "%RETRY%../x", "SCHEDULE_TOPIC_XXXX", "TBW102", "*"]
    names += [
        "|" * 120,
        "-" * 120,
        "%" * 127,
        "x" * 127,
        "x" * 128,
        "x" * 255,
        "é" * 60,
    ]
    names += [
        "x" * 256,
        "x" * 32_767,
        "x" * 65_536,
        "\u202e",
        "\ufeff",
        "\U0001f600" * 60,
    ]
    for _ in target.rounds():
        peer = Peer(target.broker)
        for name in names:
            peer.send(message(name))
            peer.send(message("Path", a=name, i=f"KEYS\x01{name}\x02TAGS\x01{name}"))
            peer.send(pull(name))
            peer.send(pull("Path", consumerGroup=name))
            ext = {"consumerGroup": name, "topic": name, "queueId": "0"}
            for code in (14, 15, 17, 29, 31, 35, 38, 202, 203, 207, 208, 215, 351, 352):
                more = {"commitOffset": "1", "clientID": name, "group": name}
                more |= {"readQueueNums": "1", "writeQueueNums": "1", "perm": "6"}
                more |= {"groupName": name, "producerGroup": name, "timestamp": "0"}
                peer.send(request(code, ext | more))
        peer.half_close()
        while peer.receive() is not None:
            pass
        peer.close()
        for name in names:
            ext = {"topic": name, "namespace": name, "key": name, "value": name}
            ext |= {"brokerName": name, "clusterName": name, "cluster": name}
            ext |= {"brokerAddr": name, "brokerId": "0"}
            for code in (100, 101, 102, 104, 105, 205, 216, 219, 224, 322, 901):
                target.ask(target.names, request(code, ext))


@attack("18 kinds of messages that clients must not send")
def odd_kinds(target: Target) -> None:
    """Properties of transactions, delays, timers and system topics, forged."""
    values = ["true", "TRUE", "True", "", "-1", "9" * 30, "\x01", "é", "null"]
    names = ["TRAN_MSG", "DELAY", "TIMER_DELAY_MS", "TIMER_DELIVER_MS", "PGROUP"]
    names += ["TIMER_DELAY_SEC", "UNIQ_KEY", "WAIT", "REAL_TOPIC", "REAL_QID", "KEYS"]
    names += ["INNER_NUM", "INNER_MULTI_DISPATCH", "RECONSUME_TIME", "CLUSTER", "TAGS"]
    pairs = [(name, value) for name in names for value in values]
    for _ in target.rounds():
        sends = [
            message("Kinds", j=times, i=f"{name}\x01{value}\x02", f=flag)
            for name, value in pairs
            for times in ("0", "17")
            for flag in ("0", "8", "12")
        ]
        Peer(target.broker).ask_all(sends)


@attack("9 a batch of empty messages")
def empty_batch(target: Target) -> None:
    """190,650 items without a body, and as many as are let in."""
    item = (22).to_bytes(4, "big") + bytes(18)
    for _ in target.rounds(0.2):
        for count in (190_650, 32_768):
            data = message("Batch", item * count, m="true")
            target.ask(target.broker, data)


@attack("batches with long properties", growth=128)
def batches_with_properties(target: Target) -> None:
    """128 messages of 32,767 bytes of properties, each with thousands of keys."""
    keys = "KEYS\x01" + " ".join(str(n) for n in range(6000)) + "\x02"
    text = keys[:32_700].encode()
    item = (22 + len(text)).to_bytes(4, "big") + bytes(16)
    item += len(text).to_bytes(2, "big") + text
    data = message("Batch", item * 100, m="true")
    target.repeat(data, target.broker, pause=0.5)


@attack("8 tags of 15 MiB")
def long_tags(target: Target) -> None:
    """Properties far beyond what a record can hold."""
    tags = "TAGS\x01" + "x" * (15 << 20)
    target.repeat(message("Tags", i=tags), target.broker, pause=0.2)


@attack("properties of 30,000 separators")
def odd_properties(target: Target) -> None:
    """Properties without names, with one name 15,000 times, or with separators only."""
    texts = ["\x02" * 32_000, "\x01" * 32_000, "a\x01b\x02" * 8000, "KEYS\x01" * 6000]
    texts += [
        "KEYS\x01" + "k " * 16_000,
        "UNIQ_KEY\x01" + "u" * 32_000,
        "\x01\x02" * 9999,
    ]
    sends = [message("Properties", i=text) for text in texts]
    for _ in target.rounds():
        Peer(target.broker).ask_all(sends * 10)
