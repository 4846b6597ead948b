"""Templates of binary headers: they make what decoding each field makes."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire import binary_template
from rocketmq_tw.wire.binary_header import binary_header
from rocketmq_tw.wire.binary_template import MOST, BinaryDecoder
from rocketmq_tw.wire.command import NOT_USUAL, typed_binary_decoder
from rocketmq_tw.wire.errors import MalformedHeader
from rocketmq_tw.wire.requests.send import SendMessageV2
from rocketmq_tw.wire.requests.transaction import EndTransaction

SEND, END = int(SendMessageV2.code), int(EndTransaction.code)
#: What a client writes of a send; ``z`` is no field of it.
USUAL = {
    "a": "group",
    "b": "Topic",
    "c": "TBW102",
    "d": "4",
    "e": "0",
    "f": "0",
    "g": "1732788000123",
    "h": "0",
    "i": "UNIQ_KEY\x01AC1E0001\x02",
    "k": "false",
    "z": "?",
}
#: Values of one length each, and not all are numbers.
ODD = (
    ("7", "0", "x", "-", " ", "\u0663"),
    ("07", "-1", "+1", "1 ", "1e", "00", "\u00fc"),
)
FALLS = (*NOT_USUAL, MalformedHeader)


def header(opaque: int = 1, **changed: str) -> bytes:
    """Encode the header of a send."""
    return binary_header(SEND, opaque, 0, None, {**USUAL, **changed})


def outcome(decode: Any, data: bytes) -> object:
    """Return what a decoder makes of a header, or that it is refused."""
    try:
        return decode(data)
    except FALLS as error:
        return type(error)


class BinaryDecoderTests(SynchronousTestCase):
    """What templates make of headers."""

    def setUp(self) -> None:
        """Count what is decoded field by field."""
        self.decoder, self.slow = BinaryDecoder(SEND), 0
        decode = self.decoder._decode

        def counted(data: bytes) -> Any:
            self.slow += 1
            return decode(data)

        self.decoder._decode = counted

    def check(self, data: bytes) -> None:
        """Compare what is made of a header, twice: it may be a template then."""
        expected = outcome(typed_binary_decoder(SEND), data)
        self.assertEqual(outcome(self.decoder, data), expected)
        self.assertEqual(outcome(self.decoder, data), expected)

    def learn(self) -> None:
        """Let it learn which values change."""
        for number in range(3):
            key = f"UNIQ_KEY\x01AC1E000{number}\x02"
            self.decoder(header(number, e=f"{number}", g=f"{1 << 40 | number}", i=key))
        self.slow = 0

    def test_learns(self) -> None:
        """After two headers only what changes is decoded; a third changes nothing."""
        self.learn()
        command = self.decoder(header(-9, e="3", i="UNIQ_KEY\x01BBBB0007\x02"))
        self.assertEqual(self.slow, 0)
        self.assertEqual(command.opaque, -9)
        self.assertEqual(command.fields.queue_id, 3)
        self.assertEqual(command.fields.properties, "UNIQ_KEY\x01BBBB0007\x02")
        self.assertEqual(command.fields.topic, "Topic")

    def test_commands_are_separate(self) -> None:
        """What is done to one command is not done to another."""
        self.learn()
        one, other = (self.decoder(header(n, e="3")) for n in (1, 2))
        one.fields.body = b"body"
        self.assertEqual((one.opaque, other.opaque, other.fields.body), (1, 2, b""))

    def test_other_length(self) -> None:
        """Headers of another length know at once what changes."""
        self.learn()
        self.decoder(header(e="10"))
        self.decoder(header(2, e="17", g="1732788000999"))
        self.assertEqual(self.slow, 1)

    def test_odd_values(self) -> None:
        """Numbers that are written otherwise, texts for numbers, and bad UTF-8."""
        self.learn()
        for texts in ODD:
            for text in texts:
                for key in "adehikmz":
                    self.check(header(**{key: text}))
        good = header(i="x" * 17)
        self.check(good)
        self.check(good.replace(b"xxxxx", b"xx\xff\xffx"))

    def test_empty_values(self) -> None:
        """They are absent, also where others of that field were seen to change."""
        self.learn()
        for opaque in (7, 8):
            self.check(header(opaque, i=""))
            self.check(header(opaque, e=""))

    def test_numbers_out_of_range(self) -> None:
        """A number is checked by its field's limits."""
        self.learn()
        for number in ((1 << 31) - 1, 1 << 31, (1 << 32) - 1):
            self.check(header(e=f"{number}"))
            self.check(header(g=f"{number}000000000"))

    def test_twice_the_same_field(self) -> None:
        """Of two values of one field the last counts, so no template is made."""
        data = header()
        block = b"\0\x01e\0\0\0\x018"
        at = data.index(b"\0\x01a") - 4
        size = (int.from_bytes(data[at : at + 4], "big") + len(block)).to_bytes(
            4, "big"
        )
        twice = data[:at] + size + data[at + 4 :] + block
        self.check(twice)
        self.assertEqual(self.decoder(twice).fields.queue_id, 8)
        self.assertEqual(self.slow, 3)

    def test_swapped_fields(self) -> None:
        """Two fields of equal size in another order."""
        self.learn()
        swapped = {key: USUAL[key] for key in "abcdfeghikz"}
        self.check(binary_header(SEND, 1, 0, None, swapped))
        self.check(binary_header(SEND, 1, 0, None, {**swapped, "f": "1", "e": "2"}))

    def test_most(self) -> None:
        """The number of templates has a limit, and so has their length."""
        for size in range(1, 3 * MOST):
            self.decoder(header(a="g" * size))
            self.assertLessEqual(len(self.decoder._templates), MOST)
        count = len(self.decoder._templates)
        self.check(header(a="g" * binary_template.LONGEST))
        self.assertEqual(len(self.decoder._templates), count)

    def test_two_in_turn(self) -> None:
        """Two headers of one length that differ in a field that is not declared."""
        made, learn = 0, self.decoder._learn

        def counted(*arguments: Any) -> None:
            nonlocal made
            made += 1
            learn(*arguments)

        self.decoder._learn = counted  # type: ignore[method-assign]
        for number in range(1000):
            self.decoder(header(number, z=f"{number % 2}"))
        self.assertLess(made, 40)

    @settings(deadline=None)
    @given(st.integers(0, 1 << 62))
    def test_any(self, seed: int) -> None:
        """Series of headers of both kinds, with changes and damage anywhere."""
        chance = random.Random(seed)
        code = chance.choice([SEND, END])
        usual = USUAL
        if code == END:
            usual = {
                "producerGroup": "group",
                "tranStateTableOffset": "100",
                "commitLogOffset": "123456",
                "commitOrRollback": "8",
                "fromTransactionCheck": "false",
                "msgId": "AC1E0001",
                "transactionId": "AC1E0001",
                "topic": "Topic",
                "bname": "broker",
            }
        decoder, slow = BinaryDecoder(code), typed_binary_decoder(code)
        for _ in range(40):
            changed = dict(usual)
            for key in chance.sample(sorted(usual), chance.randrange(4)):
                old = changed[key]
                digits = "0123456789" * 9 + "-x \u00fc"
                changed[key] = "".join(chance.choice(digits) for _ in old)
                if not chance.randrange(8):
                    changed[key] = changed[key][1:]
            opaque = chance.randrange(-(1 << 31), 1 << 31)
            data = bytearray(binary_header(code, opaque, 0, None, changed))
            if not chance.randrange(4):
                data[chance.randrange(len(data))] = chance.randrange(256)
            if not chance.randrange(16):
                data += b"behind"
            self.assertEqual(
                outcome(decoder, bytes(data)), outcome(slow, bytes(data)), bytes(data)
            )
