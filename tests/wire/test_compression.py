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
    ZlibReader,
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


class ZlibReaderTests(SynchronousTestCase):
    """A stream is inflated as far as it is read, and one step."""

    def test_read(self) -> None:
        """Any sizes of reads give the whole, then nothing."""
        plain = random.Random(1).randbytes(300_000) + bytes(300_000)
        for size in (1000, 65_536, 600_001):
            reader = ZlibReader(deflate(plain, 0), len(plain))
            pieces = []
            while reader.has_more():
                pieces.append(reader.read(size))
            self.assertEqual(b"".join(pieces), plain)
            self.assertEqual(reader.read(1), b"")

    def test_a_bomb_costs_a_step(self) -> None:
        """What is not asked for is not inflated."""
        reader = ZlibReader(deflate(bytes(1 << 26), 0), 1 << 26)
        reader.read(10)
        self.assertEqual(reader.left, (1 << 26) - 10)
        self.assertLessEqual(len(reader._held), 1 << 16)

    def test_limit(self) -> None:
        """More bytes than the limit are refused."""
        reader = ZlibReader(deflate(bytes(1 << 20), 0), (1 << 20) - 1)
        self.assertRaises(BodyTooLarge, reader.read, 1 << 20)

    def test_damage(self) -> None:
        """A cut stream is refused where it is cut, its checksum at the end."""
        data = deflate(b"some body" * 9, 0)
        for size in range(len(data)):
            reader = ZlibReader(data[:size], 1000)
            with self.assertRaises(BadCompression):
                reader.read(81)
                reader.has_more()
        wrong = ZlibReader(data[:-1] + bytes([data[-1] ^ 1]), 1000)
        with self.assertRaises(BadCompression):
            wrong.read(81)
            wrong.has_more()
