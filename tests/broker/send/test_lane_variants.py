"""The lane against the handlers: sends that differ from a plain one in one thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.fields import Ext, to_ext
from rocketmq_tw.wire.frame import BINARY, JSON, join
from tests.broker.cases import sent
from tests.broker.send.test_batch import batched
from tests.broker.send.twins import Twins
from tests.broker.send.ways import frame_of

#: Properties of a plain send.
PLAIN = "TAGS\x01TagA\x02UNIQ_KEY\x01k\x02WAIT\x01true\x02"
#: Other properties, of plain sends and of others.
TEXTS = (
    "UNIQ_KEY\x01k\x02",
    "UNIQ_KEY\x01k\u00fc\x02KEYS\x01a b\x02TAGS\x01\U0001f600\x02",
    "UNIQ_KEY\x01k\x02A\x01DELAY\x02",
    "UNIQ_KEY\x01k\x02A\x01DELAY\x011\x02",
    "UNIQ_KEY\x01k\x02WAIT\x01false\x02",
    "UNIQ_KEY\x01k",
    "",
    "\x02",
    "A\x01b\x02",
    "UNIQ_KEY\x01\x02",
    "UNIQ_KEY\x01\x02UNIQ_KEY\x01k\x02",
    "XUNIQ_KEY\x01k\x02",
    "TIMER_X\x011\x02UNIQ_KEY\x01k\x02TAGS\x01x\x02",
    "TAGS\x01a\x02TAGS\x01\x02UNIQ_KEY\x01k\x02",
    "TAGS\x01a\x02TAGS\x01b\x02UNIQ_KEY\x01k\x02",
    *(f"UNIQ_KEY\x01k\x02TAGS\x01{'t' * size}\x02" for size in (0, 63, 64, 65, 300)),
)
#: Properties of timed sends, and of what looks so.
TIMED = tuple(
    PLAIN + text
    for text in (
        "TIMER_DELAY_SEC\x011\x02",
        "TIMER_DELAY_SEC\x01+2\x02",
        "TIMER_DELAY_MS\x012500\x02",
        "TIMER_DELAY_MS\x0186400000\x02REAL_TOPIC\x01B\x02REAL_QID\x019\x02",
        "TIMER_DELIVER_MS\x014102444800000\x02",
        "TIMER_DELAY_SEC\x013\x02UNIQ_KEY\x01k\u00fc>?\x02TAGS\x01\x02",
        "TIMER_DELAY_SEC\x012\x02TIMER_DELAY_MS\x01x\x02TAGS\x01\U0001f600\x02",
        "TIMER_DELAY_SEC\x01\x02TIMER_DELAY_MS\x01700\x02WAIT\x01false\x02",
        *(f"TIMER_DELAY_MS\x01{value}\x02" for value in (0, -1, "x", "", 1 << 63)),
        "TIMER_DELIVER_MS\x011000\x02",
        "TIMER_X\x011\x02",
        *(
            f"TIMER_DELAY_SEC\x012\x02{name}\x011\x02"
            for name in (
                "TIMER_OUT_MS",
                "TIMER_DEL_UNIQKEY",
                "DELAY",
                "TRAN_MSG",
                "POP_CK",
                "_SYS_MSG_PRIORITY_",
            )
        ),
        f"TIMER_DELAY_SEC\x012\x02A\x01{'x' * 32_600}\x02",
    )
)
#: Changes of the header's text: from, to.
HEADERS = (
    ('{"code":310,', '{"code":310,"code":30,'),
    ('{"code":310,', '{"code":"310",'),
    ('{"code":310,', '{"code":310 ,'),
    ('"flag":0,"l', '"flag":"0","l'),
    ('"flag":0,"l', '"flag":null,"l'),
    ('"flag":0,"l', '"l'),
    ('"opaque":1,', ""),
    ('"opaque":1', '"opaque":null'),
    ('"opaque":1', '"opaque":2147483648'),
    ('"language":"JAVA"', '"language":7'),
    ('"language":"JAVA"', '"language":[1]'),
    ('"language":"JAVA"', '"language":null'),
    ('"version":479', '"version":null'),
    ('"version":479', '"version":"x"'),
    ('"version":479', '"version":479,"remark":"r"'),
    ('"version":479', '"version":479,"remark":5'),
    ('"version":479', '"version":479,"other":{"a":[1]}'),
    ('"extFields"', '"extfields"'),
    ('"extFields"', '"other"'),
    ('"e":"0"', '"e":0'),
    ('"e":"0"', '"e":"0","e":"1"'),
    ('"f":"0"', '"f":"0","f":"4"'),
    ('"h":"0"', '"h":" 0"'),
    ('"i":"', '"i":"\\ud800'),
    ('"a":"PG"', '"a":"\\ud800"'),
)


def variant(
    ext: Ext | None = None, *, without: str = "", header_flag: int = 0, **fields: Any
) -> bytes:
    """Write a plain send that differs in one thing."""
    request = sent(**{"topic": "A", "properties": PLAIN} | fields)
    values = to_ext(request) | (ext or {})
    values.pop(without, None)
    return frame_of(310, values, request.body, flag=header_flag)


def properties() -> Iterator[bytes]:
    """Write sends with other properties."""
    for text in TEXTS:
        yield variant(properties=text)
    for name in ("DELAY", "TIMER_DELIVER_MS", "TRAN_MSG", "POP_CK"):
        for value in ("1", "true", "-1", ""):
            yield variant(properties=f"{PLAIN}{name}\x01{value}\x02")
            yield variant(properties=f"{name}\x01{value}\x02{PLAIN}")
    for size in (32_500, 32_630, 32_640, 32_650, 32_660, 32_700, 32_767):
        yield variant(properties=f"{PLAIN}A\x01{'x' * size}\x02")


def timed() -> Iterator[bytes]:
    """Write sends that ask for a time, after one that is stored by the handler."""
    usual = f"{PLAIN}TIMER_DELAY_SEC\x011\x02"
    yield variant(properties=usual)
    for text in TIMED:
        yield variant(properties=text)
    for queue_id in (-1, 1, 3, 4, 5):
        yield variant(properties=usual, queue_id=queue_id)
    for bit in range(9):
        yield variant(properties=usual, sys_flag=1 << bit)
    for size in (0, 4096, 4097):
        yield variant(properties=usual, body=bytes(size))
    for size in range(32_470, 32_480):
        yield variant(properties=f"{usual}A\x01{'x' * size}\x02")
    yield variant(properties=usual, topic="%RETRY%g")
    yield variant(properties=usual, ext={"m": "true"})
    yield variant(properties=usual, header_flag=2, reconsume_times=3)


def numbers() -> Iterator[bytes]:
    """Write sends with other topics, queues, flags and numbers."""
    for topic in ("B", "%RETRY%g", "%DLQ%g", "SCHEDULE_TOPIC_XXXX", "a.b", ""):
        yield variant(topic=topic)
    for queue_id in (-1, 0, 1, 2, 3, 4, 5, 6, (1 << 31) - 1):
        yield variant(queue_id=queue_id)
    for bit in range(12):
        yield variant(sys_flag=1 << bit)
    for size in (0, 4095, 4096, 4097):
        yield variant(body=bytes(size))
    for number in (-(1 << 31), -1, 1, (1 << 31) - 1):
        yield variant(flag=number)
        yield variant(reconsume_times=number)
        yield variant(max_reconsume_times=number)
    for number in (-(1 << 63), (1 << 63) - 1):
        yield variant(born_timestamp=number)


def headers() -> Iterator[bytes]:
    """Write sends whose headers are not as usual, and other requests."""
    for flag in range(8):
        yield variant(header_flag=flag)
    for letter in "abcdefghijklmn":
        for value in ("", "x", "1", "true", "1.5", str(1 << 31), str(1 << 63)):
            yield variant(ext={letter: value})
        yield variant(without=letter)
    for old, new in HEADERS:
        header = variant()[8:-5]
        assert old.encode() in header, old
        yield join(JSON, header.replace(old.encode(), new.encode(), 1), b"Hello")
        yield join(BINARY, header, b"Hello")
    batch = batched(b"1", b"22", topic="A")
    yield frame_of(320, to_ext(batch), batch.body)
    yield frame_of(310, to_ext(batch) | {"m": "true"}, batch.body)
    yield frame_of(30, {"topic": "A", "queueId": "0"})


class LaneVariantTests(SynchronousTestCase):
    """Each alone, and between plain sends."""

    flush = FlushDiskType.ASYNC_FLUSH

    def compare(self, variants: Iterator[bytes]) -> None:
        """Send to two brokers; queues 4 and 5 hold messages but are not in use."""
        twins = Twins(flush=self.flush)
        self.addCleanup(twins.stop)
        for queues in (6, 4):
            config = TopicConfig("A", queues, queues)
            twins.do(lambda one: one.broker.tables.topics.put(config))  # noqa: B023
            for queue_id in (0, 1, 2, queues - 1):
                twins.receive_alone(variant(queue_id=queue_id))
        for each in variants:
            for read in (each, variant() + each + variant()):
                twins.receive_alone(read)
        self.flushLoggedErrors()

    def test_properties(self) -> None:
        """Properties that choose another way, or look as if they did."""
        self.compare(properties())

    def test_timed(self) -> None:
        """Times, right and wrong, with what such messages cannot have."""
        self.compare(timed())

    def test_numbers(self) -> None:
        """Topics, queues, flags and numbers."""
        self.compare(numbers())

    def test_headers(self) -> None:
        """Headers in any form."""
        self.compare(headers())


class SyncFlushTests(LaneVariantTests):
    """The same with brokers that flush before they respond."""

    flush = FlushDiskType.SYNC_FLUSH
