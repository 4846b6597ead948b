"""Bits of the system flag."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.model import sysflag


class SysFlagTests(SynchronousTestCase):
    """The bits are Apache RocketMQ's, and share none but where they are one field."""

    def test_fields_do_not_overlap(self) -> None:
        """Single bits and masks are disjoint."""
        fields = (
            sysflag.COMPRESSED,
            sysflag.MULTI_TAGS,
            sysflag.TRANSACTION_MASK,
            sysflag.BORN_HOST_V6,
            sysflag.STORE_HOST_V6,
            sysflag.NEED_UNWRAP,
            sysflag.INNER_BATCH,
            sysflag.COMPRESSION_MASK,
        )
        self.assertEqual(sum(fields), 0x7FF)
        self.assertEqual(sum(bin(field).count("1") for field in fields), 11)

    def test_values_stay_in_their_fields(self) -> None:
        """Kinds of transactions and of compression are within their masks."""
        kinds = (sysflag.PREPARED, sysflag.COMMIT, sysflag.ROLLBACK)
        self.assertEqual(kinds, (0x4, 0x8, 0xC))
        for kind in (sysflag.NOT_TRANSACTIONAL, *kinds):
            self.assertEqual(kind & ~sysflag.TRANSACTION_MASK, 0)
        for kind in (
            sysflag.COMPRESSION_LZ4,
            sysflag.COMPRESSION_ZSTD,
            sysflag.COMPRESSION_ZLIB,
        ):
            self.assertEqual(kind & ~sysflag.COMPRESSION_MASK, 0)
