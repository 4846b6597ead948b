"""Compressing bodies that are sent."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.compression import compress
from rocketmq_tw.wire.compression import inflate


class CompressTests(SynchronousTestCase):
    """Bodies that shrink, and bodies that do not."""

    def test_smaller(self) -> None:
        """The flags say that it is compressed, and how."""
        body, flags = compress(b"x" * 5000)
        self.assertLess(len(body), 100)
        self.assertEqual(flags, 0x301)
        self.assertEqual(inflate(body, flags, 5000), b"x" * 5000)

    def test_not_smaller(self) -> None:
        """The body stays as it is, without flags."""
        body = random.Random(0).randbytes(5000)
        self.assertEqual(compress(body), (body, 0))
