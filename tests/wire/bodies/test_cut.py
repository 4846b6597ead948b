"""Tests of decoding large tables in steps."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.group import RetryPolicy, SubscriptionGroup
from rocketmq_tw.wire.bodies.cut import STEP, decode_in_steps
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.bodies.offsets import ConsumerOffsetTable
from rocketmq_tw.wire.errors import BadField, MalformedJson
from rocketmq_tw.wire.request_json import LARGEST

VERSION = DataVersion(1, 2, 3)


def taken(steps: Generator[None, None, Any]) -> tuple[int, Any]:
    """Take all steps; return their number and the result."""
    count = 1
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return count, end.value
        count += 1


def offsets(data: bytes, limit: int = 1 << 20) -> tuple[int, Any]:
    """Decode a table of consumer offsets."""
    return taken(
        decode_in_steps(data, "offsetTable", dict[int, int], ConsumerOffsetTable, limit)
    )


class CutTests(SynchronousTestCase):
    """A table is cut between its entries."""

    def test_small(self) -> None:
        """One step decodes it, and what is beside it."""
        body = ConsumerOffsetTable({"T@G": {0: 1}}, VERSION)
        for data in (body.encode(), body.encode_lenient()):
            count, (table, rest) = offsets(data)
            self.assertEqual((count, table), (1, {"T@G": {0: 1}}))
            self.assertEqual(rest, ConsumerOffsetTable({}, VERSION))

    def test_large(self) -> None:
        """A step decodes some 64 KiB, whatever the size of the whole."""
        body = ConsumerOffsetTable({f"T{n}@G": {0: n} for n in range(9000)}, VERSION)
        for data in (body.encode(), body.encode_lenient()):
            count, (table, rest) = offsets(data)
            self.assertEqual(count, len(data) // STEP + 1)
            self.assertEqual(table, body.offset_table)
            self.assertEqual(rest.data_version, VERSION)

    def test_many_queues(self) -> None:
        """An entry of many numbers is cut too, with those before and behind it."""
        large = {queue: queue * 1000 for queue in range(65_000)}
        before, behind = {0: 1}, {7: -2}
        table = {"A@G": before, "B@G": large, "C@G": behind, "D@G": large}
        body = ConsumerOffsetTable(table, VERSION)
        for data in (body.encode(), body.encode_lenient()):
            count, (found, rest) = offsets(data)
            self.assertGreaterEqual(count, len(data) // (2 * STEP))
            self.assertTrue(found == table)
            self.assertEqual(rest.data_version, VERSION)

    def test_many_queues_malformed(self) -> None:
        """Numbers that are none are refused wherever they stand."""
        some = b",".join(b"%d:%d" % (queue, queue) for queue in range(20_000))
        for wrong in (b'"1,2":3', b"1:2:3", b"--1:2", b'99999:"x"', b'"1:2'):
            for numbers in (wrong + b"," + some, some + b"," + wrong):
                data = b'{"offsetTable":{"A@G":{%b},"B@G":{}}}' % numbers
                self.assertRaises((BadField, MalformedJson), offsets, data)

    def test_nested(self) -> None:
        """Values may have tables and lists; braces in texts are none."""
        group = SubscriptionGroup(
            "G", group_retry_policy=RetryPolicy(), attributes={"a": '}]"{[\\'}
        )
        table = {"G": group, '"},': SubscriptionGroup("H")}
        data = SubscriptionGroupTable(table, {"G": {"T": 4}}, VERSION).encode()
        steps = decode_in_steps(
            data,
            "subscriptionGroupTable",
            SubscriptionGroup,
            SubscriptionGroupTable,
            9,
        )
        _, (found, rest) = taken(steps)
        self.assertEqual(found, table)
        self.assertEqual(rest.forbidden_table, {"G": {"T": 4}})

    def test_large_entry(self) -> None:
        """One that cannot be cut is read with what is beside the table, if at all."""
        group = SubscriptionGroup("G", attributes={"a": "x" * STEP})
        for count, is_read in ((3, True), (16, False)):
            table = {"A": SubscriptionGroup("A")}
            table |= {f"G{number}": group for number in range(count)}
            steps = decode_in_steps(
                SubscriptionGroupTable(table).encode(),
                "subscriptionGroupTable",
                SubscriptionGroup,
                SubscriptionGroupTable,
                99,
            )
            if is_read:
                self.assertEqual(taken(steps)[1][0], table)
            else:
                self.assertRaises(BadField, taken, steps)

    def test_absent(self) -> None:
        """A body without the table has an empty one."""
        _, (table, rest) = offsets(b"{}")
        self.assertEqual((table, rest), ({}, ConsumerOffsetTable()))

    def test_too_many(self) -> None:
        """An entry over the limit is one too many."""
        data = ConsumerOffsetTable({"a@G": {0: 1}, "b@G": {0: 1}}).encode()
        offsets(data, limit=2)
        self.assertRaises(BadField, offsets, data, 1)

    def test_small_with_spaces(self) -> None:
        """It is read whole, and nothing of it gets lost."""
        data = b'{"offsetTable": {"A@G": {"0": 1}, "B@G": {"0": 2}}}'
        self.assertEqual(offsets(data)[1][0], {"A@G": {0: 1}, "B@G": {0: 2}})
        self.assertRaises(BadField, offsets, data, 1)

    def test_cannot_be_cut(self) -> None:
        """A large text with spaces, or nested too deep, is refused without reading."""
        spaces = b'{"offsetTable":{"T@G" :{%b}}}' % (b" " * LARGEST)
        deep = b'{"offsetTable":{"T@G":%b}}' % (b"[" * LARGEST)
        for data in (spaces, deep):
            self.assertRaises(BadField, offsets, data)

    @given(some.binary(max_size=60))
    def test_garbage(self, garbage: bytes) -> None:
        """What is no body is refused as such."""
        for data in (garbage, b'{"offsetTable":{' + garbage):
            try:
                offsets(data)
            except (BadField, MalformedJson):
                pass
