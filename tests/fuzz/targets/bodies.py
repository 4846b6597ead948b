"""Every typed body, and registrations in both forms."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.wire import bodies, fastjson
from rocketmq_tw.wire.bodies.body import Body
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.bodies.pop import BatchAck, decode_bit_set
from rocketmq_tw.wire.bodies.registration import (
    RegisterBrokerBody,
    decode_registration,
    decode_topic,
)
from rocketmq_tw.wire.compression import BadCompression, BodyTooLarge
from rocketmq_tw.wire.errors import BadField, MalformedJson
from tests.fuzz.target import Amplifier, Budget, Target
from tests.fuzz.targets.json import AMPLIFIERS, HARDEST, repeated
from tests.fuzz.targets.samples import document
from tests.wire.captures import captures

for _module in pkgutil.iter_modules(bodies.__path__):
    importlib.import_module(f"{bodies.__name__}.{_module.name}")


def _subclasses(kind: type[Body]) -> Iterator[type[Body]]:
    """Give all declared bodies, in the order of their declaration."""
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


KINDS: tuple[type[msgspec.Struct], ...] = (
    *sorted(
        (each for each in _subclasses(Body) if "rocketmq_tw.wire" in each.__module__),
        key=lambda each: each.__name__,
    ),
    TopicRoute,
    SubscriptionGroup,
)


def _read(data: bytes) -> object:
    """Decode the body whose number the first byte is, and encode it again."""
    kind: type[Any] = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    body = fastjson.decode_as(data[1:], kind)
    if isinstance(body, BatchAck):
        body.offsets()
    return fastjson.dumps(body)


def _seeds() -> Iterator[bytes]:
    """Give a document for each body."""
    for number, kind in enumerate(KINDS):
        yield bytes([number]) + document(kind)


def _numbered(kind: type[msgspec.Struct], amplifier: Amplifier) -> Amplifier:
    """Let what an amplifier makes be read as a kind of body."""
    number = bytes([KINDS.index(kind)])
    return lambda size: number + amplifier(size)


def _registrations() -> Iterator[bytes]:
    """Give registrations as brokers send them, compressed and not."""
    for _, _, command in captures():
        if command.code == 103 and not command.is_response:
            yield command.body
            yield decode_registration(command.body).encode_compressed(500)
    yield document(RegisterBrokerBody)


def _plain_registrations() -> Iterator[bytes]:
    """Give what is compressed in registrations."""
    for data in _registrations():
        if data[:1] == b"\x78":
            yield zlib.decompress(data)


def _read_plain(data: bytes) -> object:
    """Decode a compressed registration with this content."""
    return decode_registration(zlib.compress(data, 1))


def _many_topics(size: int) -> bytes:
    """Make a compressed form of many short topics."""
    count = size // 16
    topics = (b"T%06d 1 1 6 " % i for i in range(count))
    listed = b"".join(len(each).to_bytes(4, "big") + each for each in topics)
    head = b"\0\0\0\2{}" + count.to_bytes(4, "big")
    return head + listed + b"\0\0\0\2[]"


_ERRORS = (MalformedJson, BadField)
_STREAM_ERRORS = (*_ERRORS, BadCompression, BodyTooLarge)
_HEARTBEAT = HeartbeatData

TARGETS = (
    Target(
        name="bodies",
        run=_read,
        errors=_ERRORS,
        seeds=_seeds,
        amplifiers={name: _numbered(_HEARTBEAT, each) for name, each in HARDEST.items()}
        | {
            "producers": _numbered(
                _HEARTBEAT,
                repeated('{"clientID":1,"producerDataSet":[', '{"groupName":1},', "]}"),
            ),
        },
        examples=50,
    ),
    Target(
        name="bit-set",
        run=lambda data: decode_bit_set(data.decode("utf-8", "replace")),
        errors=(BadField,),
        seeds=lambda: (b"AQI=", b"////", b""),
        amplifiers={"ones": repeated("", "////")},
        budget=Budget(work_each=60, memory_each=400),
    ),
    Target(
        name="registration",
        run=decode_registration,
        errors=_STREAM_ERRORS,
        seeds=_registrations,
        # zlib needs some memory whatever comes out, and a bomb is read piece by piece.
        budget=Budget(memory=1 << 20),
        examples=15,
    ),
    Target(
        name="registration-content",
        run=_read_plain,
        errors=_STREAM_ERRORS,
        seeds=_plain_registrations,
        amplifiers={"topics": _many_topics},
        budget=Budget(memory=1 << 20),
        examples=15,
    ),
    Target(
        name="registered-topic",
        run=lambda data: decode_topic(data.decode("utf-8", "replace")),
        errors=(BadField,),
        seeds=lambda: (b"TopicTest 8 8 6 SINGLE_TAG {}", b'T 1 1 6 MULTI_TAG {"a":1}'),
        amplifiers={
            "blanks": repeated("T", " ", "1"),
            "attributes": AMPLIFIERS["bare keys"],
        },
    ),
)
