"""Bytes that are no request: frames, headers and bodies in wrong or costly forms."""

from __future__ import annotations

import random
import struct

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, frame, header, request

_ROUTE = RequestCode.GET_ROUTEINFO_BY_TOPIC
_BEAT = RequestCode.HEART_BEAT
_MEBIBYTE = 1 << 20
#: The longest body of a request that needs no large one.
_LONGEST = _MEBIBYTE


@attack("1 escaped quotes in a header", is_short=True)
def escaped_quotes_in_a_header(target: Target) -> None:
    """An unterminated string of escaped quotes, as long as is looked at and longer."""
    start = b'{"code":105,"extFields":{"topic":"'
    for _ in target.rounds():
        for size in (40_000, 255_000, 4_000_000):
            data = frame(start + b'\\"' * (size // 2))
            for port in target.ports:
                target.ask(port, data)


@attack("1 escaped quotes in a heartbeat")
def escaped_quotes_in_a_heartbeat(target: Target) -> None:
    """The same in a body, also with bare keys before it."""
    quotes = b'\\"' * (_LONGEST // 2 - 64)
    for _ in target.rounds():
        for start in (b'{"clientID":"', b'{a:1,clientID:"', b"{'"):
            data = request(_BEAT, None, start + quotes)
            target.ask(target.broker, data)


@attack("2 doubling references in a header", is_short=True)
def doubling_references(target: Target) -> None:
    """Each field refers twice to the one before: 2^40 nodes if it is followed."""
    ref = '{{"$ref":"$.extFields.a{}"}}'
    pairs = ['"a0":["x","x"]']
    pairs += [f'"a{n}":[{ref.format(n - 1)},{ref.format(n - 1)}]' for n in range(1, 41)]
    text = f'{{"code":{_ROUTE.value},"extFields":{{{",".join(pairs)}}},"opaque":1}}'
    target.repeat(frame(text.encode()))


@attack("2 references in a heartbeat")
def references_in_a_heartbeat(target: Target) -> None:
    """A product of references: each of 3,000 consumers is one with 3,000 topics."""
    topics = ",".join(f'{{"topic":"T{n}","subString":"*"}}' for n in range(3000))
    first = f'{{"groupName":"g","subscriptionDataSet":[{topics}]}}'
    others = ',{"$ref":"$.consumerDataSet[0]"}' * 3000
    body = f'{{"clientID":"c","consumerDataSet":[{first}{others}]}}'
    target.repeat(request(_BEAT, None, body.encode()), target.broker)


@attack("frames that lie about lengths", is_short=True)
def lying_lengths(target: Target) -> None:
    """Lengths of frames and headers: 0, negative, too long, or past the end."""
    lengths = [
        0,
        1,
        3,
        4,
        5,
        1 << 24,
        (1 << 24) - 4,
        0x7FFFFFFF,
        0x80000000,
        0xFFFFFFFF,
    ]
    for _ in target.rounds():
        for length in lengths:
            for inner in (0, 1, 0xFFFFFF, 0xFF000000, 0xFFFFFFFF):
                for port in target.ports:
                    peer = Peer(port)
                    peer.send(struct.pack(">II", length, inner) + b"{}" * 8)
                    peer.reset()


@attack("every byte as the form of a header")
def forms_of_headers(target: Target) -> None:
    """The same JSON, and binary headers cut at each byte, under 256 forms."""
    binary = struct.pack(">hbhii", 105, 0, 401, 1, 0) + struct.pack(">ii", 0, 9)
    binary += struct.pack(">h", 1) + b"t" + struct.pack(">i", 2) + b"xx"
    texts = [header(_ROUTE, {"topic": "T"})]
    texts += [binary[:size] for size in range(len(binary) + 1)]
    for number in target.rounds(0.01):
        for text in texts:
            for port in target.ports:
                peer = Peer(port)
                peer.send(frame(text, kind=number % 256))
                peer.close()


@attack("numbers out of range", is_short=True)
def odd_numbers(target: Target) -> None:
    """Enormous, negative, fractional and textual values of all numbers of a header."""
    values = [-1, 1 << 31, -(1 << 31), 1 << 63, -(1 << 63), 1e308, 0.5, "1e999", "-0"]
    values += [
        "٣",
        " 7 ",
        "0x10",
        "1_000",
        True,
        [],
        {},
        int("9" * 4000),
        "9" * 100_000,
    ]
    for _ in target.rounds():
        for value in values:
            for name in ("code", "flag", "opaque", "version", "language"):
                data = frame(header(_ROUTE, {"topic": "T"}, **{name: value}))
                for port in target.ports:
                    peer = Peer(port)
                    peer.send(data)
                    peer.close()


@attack("numbers in fields")
def odd_fields(target: Target) -> None:
    """The same in the fields of requests about queues."""
    values = [-1, (1 << 31) - 1, 1 << 31, (1 << 63) - 1, 1 << 63, -(1 << 63), 1e308]
    values += ["", "NaN", "Infinity", "-0", "٣", "9" * 5000, "9" * 100_000]
    codes = (11, 12, 14, 15, 29, 30, 31, 32, 33, 36, 310, 361)
    names = ["queueId", "queueOffset", "offset", "timestamp", "commitOffset", "e", "g"]
    names += ["maxMsgNums", "sysFlag", "suspendTimeoutMillis", "maxNum", "delayLevel"]
    base = dict.fromkeys([*names, "beginTimestamp", "endTimestamp", "subVersion"], "0")
    base |= dict.fromkeys("adfhj", "0") | {"b": "Odd", "c": "TBW102", "group": "odd"}
    base |= {"topic": "Odd", "consumerGroup": "odd", "key": "k"}
    for _ in target.rounds():
        for code in codes:
            peer = Peer(target.broker)
            for name in names:
                for value in values:
                    peer.send(request(code, base | {name: value}, b"x"))
            peer.half_close()
            while peer.receive() is not None:
                pass
            peer.close()


@attack("65,535 and 1.1 million fields", growth=256)
def many_fields(target: Target) -> None:
    """Headers with many keys, different and equal, of a known and an unknown code."""
    for _ in target.rounds():
        for count in (65_535, 1_100_000):
            for key in ('"{}":""', '"k":"{}"'):
                fields = ",".join([key.format(n) for n in range(count)])
                for code in (_ROUTE.value, 9999):
                    text = f'{{"code":{code},"extFields":{{{fields}}},"opaque":1}}'
                    if len(text) < 1 << 24:
                        for port in target.ports:
                            target.ask(port, frame(text.encode()))


@attack("long texts in known fields")
def long_fields(target: Target) -> None:
    """A topic, a remark, and a key of 15 MiB."""
    text = "x" * (15 << 20)
    for _ in target.rounds():
        for data in (
            request(_ROUTE, {"topic": text}),
            request(_ROUTE, {"topic": "T"}, remark=text),
            request(_ROUTE, {text: "T"}),
            request(30, {"topic": text, "queueId": "0"}),
        ):
            for port in target.ports:
                target.ask(port, data)


@attack("deep nesting")
def deep_nesting(target: Target) -> None:
    """Lists in lists, and objects in objects, in headers and bodies."""
    for _ in target.rounds():
        for start in (b"[", b'{"a":', b"{a:[", b'{"$ref":'):
            deep = start * (100_000 // len(start))
            for port in target.ports:
                target.ask(port, frame(deep))
                target.ask(port, frame(b'{"code":105,"extFields":' + deep))
                target.ask(port, frame(b'{"code":105,"extFields":{"topic":' + deep))
            target.ask(target.broker, request(_BEAT, None, deep))
            target.ask(target.broker, request(41, None, deep))
            target.ask(target.names, request(103, None, deep))


@attack("texts that are not UTF-8")
def odd_texts(target: Target) -> None:
    """Invalid bytes and lone surrogates, where names are expected."""
    names = [b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\xf4\x90\x80\x80"]
    for _ in target.rounds():
        for name in names:
            for key in (b"topic", b"consumerGroup", b"b", b"clientID", b"namespace"):
                fields = b'"%b":"%b","queueId":"0","topic":"%b"' % (key, name, name)
                for code in (14, 30, 35, 38, 100, 105, 310, 9999):
                    text = b'{"code":%d,"extFields":{%b},"opaque":1}' % (code, fields)
                    for port in target.ports:
                        target.ask(port, frame(text))
            body = b'{"clientID":"%b","producerDataSet":[{"groupName":"%b"}]}'
            target.ask(target.broker, request(_BEAT, None, body % (name, name)))


@attack("other protocols")
def other_protocols(target: Target) -> None:
    """What browsers, TLS clients, databases and scanners send first."""
    first = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    first += [b"\x16\x03\x01\x02\x00\x01" + bytes(512), b"\x80\x2e\x01\x03\x01", b"\n"]
    first += [b"SSH-2.0-OpenSSH_9\r\n", b"*1\r\n$4\r\nPING\r\n", bytes(4096)]
    for _ in target.rounds(0.01):
        for data in first:
            for port in target.ports:
                peer = Peer(port)
                peer.send(data)
                peer.close()


@attack("random frames", seconds=6, is_short=True)
def random_frames(target: Target) -> None:
    """Requests in which some bytes are other ones, from a known seed."""
    dice = random.Random(7)
    codes = [code.value for code in RequestCode]
    for _ in target.rounds(0.005):
        ext = {name: "1" for name in dice.sample("abcdefghijklmn", 9)}
        ext |= {"topic": "T", "queueId": "1", "consumerGroup": "g", "brokerName": "b"}
        data = bytearray(request(dice.choice(codes), ext, dice.randbytes(200)))
        for _ in range(dice.choice((0, 1, 3, 20))):
            data[dice.randrange(4, len(data))] = dice.randrange(256)
        for port in target.ports:
            peer = Peer(port)
            peer.send(bytes(data))
            peer.half_close()
            peer.close()
