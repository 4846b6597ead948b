"""Tests of :mod:`rocketmq_tw.client.consumer.compressed`."""

from __future__ import annotations

import zlib

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.consumer.compressed import (
    CompressedBody,
    InflateLimits,
    KeptBodies,
    inflate_later,
)
from tests.client.fakes import message


class InflateLaterTests(SynchronousTestCase):
    """Bodies that are inflated when they are read."""

    def test_plain(self) -> None:
        """Messages that are not compressed stay the same objects."""
        plain = message(1)
        self.assertIs(inflate_later([plain], InflateLimits())[0], plain)

    def test_compressed(self) -> None:
        """The other fields stay, and the stored body can be had."""
        body = CompressedBody(zlib.compress(b"plain"))
        body.sys_flag = 1
        stored = msgspec.structs.replace(message(1), body=body)
        [later] = inflate_later([stored], InflateLimits())
        self.assertEqual((later.body, later.queue_offset), (b"plain", 1))
        self.assertEqual(msgspec.structs.replace(later, body=body).body, b"plain")


class KeptBodiesTests(SynchronousTestCase):
    """How many bytes are kept."""

    def test_limit(self) -> None:
        """What fits is kept, and counts."""
        kept = KeptBodies(InflateLimits(kept=10))
        self.assertEqual([kept.may_keep(n) for n in (6, 5, 4, 1)], [1, 0, 1, 0])
