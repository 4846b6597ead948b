"""Tests of rocketmq_tw.wire.compression."""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model.sysflag import (
    COMPRESSED,
    COMPRESSION_LZ4,
    COMPRESSION_ZLIB,
    COMPRESSION_ZSTD,
)
from rocketmq_tw.wire.compression import (
    BadCompression,
    BodyTooLarge,
    deflate,
    inflate,
)
from rocketmq_tw.wire.errors import LocalProtocolError

KINDS = (0, COMPRESSION_ZLIB, COMPRESSION_LZ4, COMPRESSION_ZSTD)
LIMIT = 1 << 20


class CompressionTests(SynchronousTestCase):
    """Bodies are compressed and decompressed by the kind in sysFlag, within a limit."""

    def test_round_trip(self) -> None:
        """Each kind restores the body, small or large, random or not."""
        noise = random.Random(1).randbytes(200_000)
        for kind in KINDS:
            for body in (b"", b"x", b"a" * LIMIT, noise):
                data = deflate(body, kind)
                self.assertEqual(inflate(data, COMPRESSED | kind, LIMIT), body)

    def test_not_compressed(self) -> None:
        """Without the bit the body is as it is, whatever the kind says."""
        self.assertEqual(inflate(b"plain", COMPRESSION_LZ4, 1), b"plain")

    def test_limit(self) -> None:
        """One byte more than the limit is refused."""
        for kind in KINDS:
            data = deflate(b"a" * 1001, kind)
            self.assertEqual(len(inflate(data, COMPRESSED | kind, 1001)), 1001)
            self.assertRaises(BodyTooLarge, inflate, data, COMPRESSED | kind, 1000)

    def test_damage(self) -> None:
        """Cut bytes, and bytes of something else, are refused."""
        for kind in KINDS:
            data = deflate(b"some body" * 9, kind)
            for damaged in (
                b"",
                b"\0" * 40,
                data[:-1],
                data[: len(data) // 2],
            ):
                self.assertRaises(
                    BadCompression, inflate, damaged, COMPRESSED | kind, LIMIT
                )

    def test_unknown_kind(self) -> None:
        """A kind that does not exist is the peer's error, or ours."""
        self.assertRaises(BadCompression, inflate, b"x", COMPRESSED | 0x700, LIMIT)
        self.assertRaises(LocalProtocolError, deflate, b"x", 0x700)

    def test_lz4_blocks_are_independent(self) -> None:
        """Java reads no frame whose blocks depend on one another (flag bit 0x20)."""
        self.assertTrue(deflate(b"x", COMPRESSION_LZ4)[4] & 0x20)
