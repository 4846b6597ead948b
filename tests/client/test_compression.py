"""Compressing bodies that are sent."""

from __future__ import annotations

import random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.compression import check_compression, compress
from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.client.producer.config import ProducerConfig
from rocketmq_tw.wire.compression import inflate


class CompressTests(SynchronousTestCase):
    """Bodies that shrink, and bodies that do not."""

    def test_smaller(self) -> None:
        """The flags say that it is compressed, and how."""
        body, flags = compress(b"x" * 5000)
        self.assertLess(len(body), 100)
        self.assertEqual(flags, 0x301)
        self.assertEqual(inflate(body, flags, 5000), b"x" * 5000)

    def test_kinds(self) -> None:
        """Each kind has its flags, and is read again."""
        for kind, flags in (("zlib", 0x301), ("lz4", 0x101), ("zstd", 0x201)):
            body, found = compress(b"x" * 5000, 5, kind)  # type: ignore[arg-type]
            self.assertEqual(found, flags)
            self.assertEqual(inflate(body, found, 5000), b"x" * 5000)

    def test_checked(self) -> None:
        """A kind or level that there is not is an error where the producer is made."""
        for kind, level in (("gzip", 5), ("zlib", 10), ("zstd", 0), ("zlib", -1)):
            self.assertRaises(ValidationError, check_compression, kind, level)
            options: Any = {"compress_type": kind, "compress_level": level}
            self.assertRaises(ValidationError, ProducerConfig, **options)
        check_compression("zstd", 22)

    def test_not_smaller(self) -> None:
        """The body stays as it is, without flags."""
        body = random.Random(0).randbytes(5000)
        self.assertEqual(compress(body), (body, 0))
