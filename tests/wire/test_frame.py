"""Frames: whole, in pieces, with bytes after them, and broken ones."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import FrameTooLong, MalformedFrame, OtherProtocol
from rocketmq_tw.wire.frame import (
    BINARY,
    JSON,
    Frame,
    FrameDecoder,
    join,
    other_protocol,
)

#: Source: the test vectors of Apache RocketMQ, one field a line.
GOLDEN = bytes.fromhex(
    "00000035"  # length
    "01"  # the header is binary
    "00002e"  # header length
    "0069"  # code 105
    "03"  # language: Python
    "0191"  # version 401
    "00000102"  # opaque 258
    "00000002"  # flag: one-way
    "000000026869"  # remark "hi"
    "00000017"  # ext length
    "0005656d70747900000000"  # empty: ""
    "0005746f7069630000000154"  # topic: "T"
    "010203"  # body
)


class FrameDecoderTests(SynchronousTestCase):
    """What :class:`FrameDecoder` makes of bytes."""

    def setUp(self) -> None:
        """Make a decoder with a small limit."""
        self.decoder = FrameDecoder(limit=1024)

    def feed_bytewise(self, data: bytes) -> list[Frame]:
        """Feed one byte at a time."""
        return [
            f for at in range(len(data)) for f in self.decoder.feed(data[at : at + 1])
        ]

    def test_golden_frame(self) -> None:
        """Apache RocketMQ's frame is taken apart."""
        self.assertEqual(
            self.decoder.feed(GOLDEN), [(BINARY, GOLDEN[8:54], b"\x01\x02\x03")]
        )

    def test_golden_frame_byte_by_byte(self) -> None:
        """Slices make no difference, and nothing is kept afterwards."""
        self.assertEqual(
            self.feed_bytewise(GOLDEN), [(BINARY, GOLDEN[8:54], b"\x01\x02\x03")]
        )
        self.assertEqual(self.decoder.held, 0)

    def test_bytes_after(self) -> None:
        """The start of the next frame is kept until its end comes."""
        one = join(JSON, b"{}", b"body")
        self.assertEqual(self.decoder.feed(one + one[:5]), [(JSON, b"{}", b"body")])
        self.assertEqual(self.decoder.held, 5)
        self.assertEqual(self.decoder.feed(one[5:]), [(JSON, b"{}", b"body")])
        self.assertEqual(self.decoder.held, 0)

    def test_many_at_once(self) -> None:
        """All whole frames of one read are given, in order."""
        data = b"".join(join(JSON, b"%d" % n) for n in range(5))
        headers = [header for _, header, _ in self.decoder.feed(data)]
        self.assertEqual(headers, [b"0", b"1", b"2", b"3", b"4"])

    def test_no_header_no_body(self) -> None:
        """The smallest frame has 4 bytes behind its length."""
        self.assertEqual(self.decoder.feed(b"\0\0\0\4\0\0\0\0"), [(JSON, b"", b"")])

    def test_largest(self) -> None:
        """A frame of exactly the limit, length field included, is let through."""
        frame = join(JSON, b"{}", bytes(1024 - 10))
        self.assertEqual(len(frame), 1024)
        self.assertEqual(len(self.decoder.feed(frame)), 1)

    def test_too_long(self) -> None:
        """One byte more is refused as soon as its length is read."""
        self.assertEqual(self.decoder.feed((1021).to_bytes(4, "big")), [])
        self.assertIsInstance(self.decoder.error, FrameTooLong)
        self.assertEqual(
            str(self.decoder.error),
            "a frame of 1021 bytes was announced; expected 4 to 1020",
        )

    def test_negative_length(self) -> None:
        """A negative length is named as such."""
        self.decoder.feed(b"\xff\xff\xff\xff")
        self.assertIn("a frame of -1 bytes", str(self.decoder.error))

    def test_too_short(self) -> None:
        """A length that is too small for the header's length is refused."""
        for length in range(4):
            decoder = FrameDecoder()
            decoder.feed(length.to_bytes(4, "big") + bytes(8))
            self.assertIsInstance(decoder.error, FrameTooLong)

    def test_header_longer_than_frame(self) -> None:
        """A header that runs past its frame is refused."""
        self.decoder.feed(b"\0\0\0\5\0\0\0\2{")
        self.assertIsInstance(self.decoder.error, MalformedFrame)

    def test_frames_before_a_broken_one(self) -> None:
        """What was whole before the mistake is given; nothing after it."""
        good = join(JSON, b"{}")
        self.assertEqual(
            self.decoder.feed(good + b"\xff" * 8 + good), [(JSON, b"{}", b"")]
        )
        self.assertIsNotNone(self.decoder.error)
        self.assertEqual(self.decoder.feed(good), [])
        self.assertEqual(self.decoder.held, 0)

    def test_other_protocols(self) -> None:
        """Other protocols' first bytes are recognised by name."""
        for start, name in (
            (b"GET / HTTP/1.1\r\n\r\n", "HTTP"),
            (b"POST /x HTTP/1.1\r\n", "HTTP"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 (gRPC?)"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS"),
        ):
            decoder = FrameDecoder()
            decoder.feed(start)
            error = decoder.error
            assert isinstance(error, OtherProtocol), start
            self.assertEqual(error.protocol, name)

    def test_other_protocols_only_at_the_start(self) -> None:
        """Once a frame came, bad lengths are bad lengths."""
        decoder = FrameDecoder()
        decoder.feed(join(JSON, b"{}") + b"GET / HTTP/1.1")
        self.assertIsInstance(decoder.error, FrameTooLong)

    def test_frames_are_remoting(self) -> None:
        """A frame of our own is taken for nothing else."""
        self.assertIsNone(other_protocol(GOLDEN))

    def test_tiny_slices(self) -> None:
        """A frame that comes two bytes at a time takes little more than its size."""
        frame = join(JSON, b"{}", b"x" * 40_000)
        slices = [frame[at : at + 2] for at in range(0, len(frame), 2)]
        decoder = FrameDecoder()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        found = [f for each in slices for f in decoder.feed(bytes(bytearray(each)))]
        self.assertLess(tracemalloc.get_traced_memory()[1], 4 * len(frame))
        self.assertEqual(found, [(JSON, b"{}", b"x" * 40_000)])

    def test_malformed_leaves_nothing_behind(self) -> None:
        """Memory stays flat over many peers that send nonsense."""

        def nonsense(count: int) -> None:
            for n in range(count):
                decoder = FrameDecoder()
                decoder.feed(n.to_bytes(4, "big") + b"\xff" * 60)
                decoder.feed(b"\xff" * 64)

        nonsense(2000)
        tracemalloc.start()
        nonsense(1000)
        before = tracemalloc.get_traced_memory()[0]
        nonsense(20000)
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        self.assertLess(after - before, 20000)


@settings(deadline=None)
@given(
    frames=st.lists(
        st.tuples(st.sampled_from([JSON, BINARY]), st.binary(), st.binary()), max_size=5
    ),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_any_cut(frames: list[Frame], cuts: list[int]) -> None:
    """Whatever is joined is split again, wherever the bytes are cut."""
    data = b"".join(join(*frame) for frame in frames)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    decoder = FrameDecoder()
    found = [
        frame
        for start, end in zip(ends, ends[1:], strict=False)
        for frame in decoder.feed(data[start:end])
    ]
    assert found == frames
    assert decoder.held == 0
    assert decoder.error is None


class LargeStartTests(SynchronousTestCase):
    """The header of a large frame, before the frame is whole."""

    def test_once(self) -> None:
        """It is given once, when it is there, however the bytes are cut."""
        header = b"h" * 3000
        frame = join(BINARY, header, b"b" * 10_000)
        for cut in (1, 7, 100, 1024, 3001):
            decoder = FrameDecoder()
            given = []
            for at in range(0, 12_000, cut):
                decoder.feed(frame[at : at + cut])
                start = decoder.large_start(5000, 5000)
                if start is not None:
                    given.append(start)
                    self.assertGreaterEqual(decoder.held, 3008)
            self.assertEqual(given, [(BINARY, header, 10_000)])
            self.assertEqual(
                decoder.feed(frame[at + cut :]), [(BINARY, header, frame[3008:])]
            )
            decoder.feed(frame[:4000])
            self.assertIsNotNone(decoder.large_start(5000, 5000))

    def test_small(self) -> None:
        """Small frames are not looked at."""
        decoder = FrameDecoder()
        decoder.feed(join(JSON, b"header", b"body")[:-1])
        self.assertIsNone(decoder.large_start(5000, 5000))

    def test_stopped(self) -> None:
        """A decoder that was stopped keeps nothing, whatever comes."""
        decoder = FrameDecoder()
        frame = join(JSON, b"header", b"body")
        decoder.feed(frame[:-1])
        decoder.stop()
        self.assertEqual(decoder.feed(frame), [])
        self.assertEqual(decoder.held, 0)
