"""What properties ask of the broker, and what only looks as if they did."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.properties import (
    SendProperties,
    Special,
    plain_code,
    read,
    timed_parts,
    waits_for_flush,
    without,
)
from rocketmq_tw.model.message import TIMERS
from rocketmq_tw.model.subscription import tags_code
from rocketmq_tw.wire import properties

RESERVED = [
    "UNIQ_KEY",
    "TAGS",
    "DELAY",
    "TRAN_MSG",
    "POP_CK",
    "TIMER_DELAY_SEC",
    "TIMER_DELAY_MS",
    "TIMER_DELIVER_MS",
    "TIMER_OUT_MS",
]


def naive(text: str) -> SendProperties:
    """Read a text in the slowest and plainest way there is."""
    table: dict[str, str] = {}
    for pair in text.split("\x02"):
        if "\x01" in pair:
            name, value = pair.split("\x01", 1)
            if name and value:
                table[name] = value
    if text and not text.endswith("\x02"):
        text += "\x02"
    if "POP_CK" in table:
        del table["POP_CK"]
        text = "".join(f"{name}\x01{value}\x02" for name, value in table.items())
    timers = ("TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS")
    special = Special(
        delay=table.get("DELAY"),
        is_transactional=table.get("TRAN_MSG", "").lower() == "true",
        is_timed=any(t in table for t in timers) and "TIMER_OUT_MS" not in table,
    )
    return SendProperties(
        text=text,
        tag=table.get("TAGS"),
        has_unique_key="UNIQ_KEY" in table,
        special=None if special == Special() else special,
    )


#: Reserved names whole, cut and with more around them, and both separators.
_PIECES = st.sampled_from(
    [*RESERVED, *(name[1:] for name in RESERVED), "X", "true", "TRUE", "3", "_"]
    + ["\x01", "\x02"] * 6
)


@settings(deadline=None, max_examples=500)
@given(st.lists(_PIECES, max_size=14).map("".join))
@example("UNIQ_KEY\x01\x02UNIQ_KEY\x01a\x02UNIQ_KEY\x01")
@example("TAGS\x01a\x02TAGS\x01\x02")
@example("POP_CK\x01\x02TAGS\x01a")
def test_like_the_naive_reader(text: str) -> None:
    """Whatever the text, the fast reader finds what the naive one finds."""
    assert read(text) == naive(text)


@settings(deadline=None, max_examples=500)
@given(st.lists(_PIECES, max_size=14).map("".join))
@example("UNIQ_KEY\x01k\x02TAGS\x01a\x02")
@example("TAGS\x01a\x02TAGS\x01\x02UNIQ_KEY\x01k\x02")
@example("UNIQ_KEY\x01\x02UNIQ_KEY\x01k\x02")
def test_plain_code(text: str) -> None:
    """Where there is a code, the text is kept as it is, and nothing is asked for."""
    code = plain_code(text)
    if code is not None:
        found = naive(text)
        assert (found.text, found.special, found.has_unique_key) == (text, None, True)
        assert code == tags_code(found.tag)


@settings(deadline=None, max_examples=500)
@given(st.lists(_PIECES, max_size=14).map("".join))
@example("UNIQ_KEY\x01k\x02TIMER_DELAY_SEC\x013\x02TAGS\x01a\x02")
@example("TIMER_DELIVER_MS\x013\x02UNIQ_KEY\x01k\x02UNIQ_KEY\x01\x02")
@example("TIMER_DELIVER_MS\x013\x02TIMER_OUT_MS\x01k\x02UNIQ_KEY\x01k\x02")
def test_timed_parts(text: str) -> None:
    """Where there are parts, the text is kept as it is, and asks for nothing else."""
    parts = timed_parts(text)
    if parts is None:
        return
    code, key, asked = parts
    found = naive(text)
    assert found.text == text
    assert code == tags_code(found.tag)
    pairs = properties.decode(text)
    assert pairs["UNIQ_KEY"] == key
    names = [name for name in pairs if name.startswith("TIMER_")]
    assert len(names) < 2
    for name in names:
        assert asked.startswith(f"{name.removeprefix('TIMER_')}\x01{pairs[name]}\x02")
    if not TIMERS.isdisjoint(names):
        assert found.special == Special(is_timed=True)


class TimedPartsTests(SynchronousTestCase):
    """Which messages are timed and nothing else."""

    def test_timed(self) -> None:
        """It has one property of a time, and a key."""
        text = "TAGS\x01TagA\x02TIMER_DELAY_MS\x013\x02UNIQ_KEY\x01k\x02"
        parts = 2598919, "k", "DELAY_MS\x013\x02UNIQ_KEY\x01k\x02"
        self.assertEqual(timed_parts(text), parts)
        self.assertEqual(timed_parts(text[10:]), (0, *parts[1:]))

    def test_others(self) -> None:
        """Whatever else it asks for makes it another one."""
        text = "TIMER_DELAY_MS\x013\x02UNIQ_KEY\x01k\x02"
        for more in (
            "TIMER_DELAY_SEC\x013\x02",
            "TIMER_OUT_MS\x013\x02",
            "DELAY\x013\x02",
            "TRAN_MSG\x01true\x02",
            "POP_CK\x01a\x02",
            "_SYS_MSG_PRIORITY_\x013\x02",
            "UNIQ_KEY\x01\x02",
        ):
            with self.subTest(more):
                self.assertIsNone(timed_parts(text + more))
        for other in ("", text[:-1], text[:18], text[18:]):
            self.assertIsNone(timed_parts(other))


class PlainCodeTests(SynchronousTestCase):
    """Which messages are plain."""

    def test_plain(self) -> None:
        """A key is enough; a tag is hashed."""
        self.assertEqual(plain_code("UNIQ_KEY\x01k\x02"), 0)
        text = "A\x01DELAY\x02TAGS\x01TagA\x02UNIQ_KEY\x01k\x02"
        self.assertEqual(plain_code(text), 2598919)


class ReadTests(SynchronousTestCase):
    """Single texts."""

    def test_plain(self) -> None:
        """Tag and unique key are found; nothing special is asked for."""
        text = "TAGS\x01TagA\x02KEYS\x01k1 k2\x02UNIQ_KEY\x01U\x02WAIT\x01true\x02"
        self.assertEqual(read(text), SendProperties(text, "TagA", True))

    def test_empty(self) -> None:
        """No text asks for nothing, and stays empty."""
        self.assertEqual(read(""), SendProperties("", None, False))

    def test_last_separator(self) -> None:
        """The separator that old clients leave out is added."""
        self.assertEqual(read("A\x01b").text, "A\x01b\x02")

    def test_reserved_names_in_values(self) -> None:
        """A value that holds a reserved name, even its separator, asks for nothing."""
        for name in RESERVED:
            for value in (name, f"a {name} b", f"{name}\x01true", f"x\x01{name}\x013"):
                text = f"A\x01{value}\x02"
                self.assertEqual(read(text), SendProperties(text, None, False))

    def test_longer_names(self) -> None:
        """Names that begin or end like a reserved one are others."""
        for name in RESERVED:
            for longer in (f"X{name}", f"{name}X", f"{name}_OFFSET"):
                text = f"{longer}\x01true\x02"
                self.assertEqual(read(text), SendProperties(text, None, False))

    def test_no_value(self) -> None:
        """A name without a value is not there; an earlier one with a value is."""
        for name in RESERVED:
            self.assertIsNone(read(f"{name}\x01\x02").special)
        self.assertFalse(read("UNIQ_KEY\x01\x02").has_unique_key)
        self.assertTrue(read("UNIQ_KEY\x01U\x02UNIQ_KEY\x01\x02").has_unique_key)
        self.assertEqual(read("TAGS\x01a\x02TAGS\x01\x02").tag, "a")

    def test_last_of_two(self) -> None:
        """Of two with a value the last counts, as in a Java map."""
        self.assertEqual(read("TAGS\x01a\x02TAGS\x01b\x02").tag, "b")
        special = read("DELAY\x011\x02DELAY\x012\x02").special
        self.assertEqual(special, Special(delay="2"))

    def test_transaction(self) -> None:
        """Only ``true`` asks for a transaction, in any case."""
        for value in ("true", "TRUE", "True"):
            special = read(f"A\x01b\x02TRAN_MSG\x01{value}\x02").special
            self.assertEqual(special, Special(is_transactional=True))
        for value in ("false", "trueX", "1", " true"):
            self.assertIsNone(read(f"TRAN_MSG\x01{value}\x02").special)

    def test_timers(self) -> None:
        """Each of three names asks for a time, unless it was kept before."""
        for name in ("TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"):
            text = f"{name}\x015\x02"
            self.assertEqual(read(text).special, Special(is_timed=True))
            self.assertIsNone(read(f"{text}TIMER_OUT_MS\x011\x02").special)

    def test_pop_check_point(self) -> None:
        """It goes, and nothing else does."""
        found = read("POP_CK\x011 2\x02UNIQ_KEY\x01U\x02POP_CK_OFFSET\x013")
        self.assertEqual(found.text, "UNIQ_KEY\x01U\x02POP_CK_OFFSET\x013\x02")
        self.assertTrue(found.has_unique_key)


class WithoutTests(SynchronousTestCase):
    """Dropping a property."""

    def test_dropped(self) -> None:
        """The others stay, in their order."""
        self.assertEqual(without("A\x01b\x02DELAY\x013\x02C\x01d\x02", "DELAY"), _REST)

    def test_not_there(self) -> None:
        """A text without it stays as it is, malformed pairs included."""
        text = "\x02A\x02DELAYX\x013"
        self.assertEqual(without(text, "DELAY"), text)


class WaitTests(SynchronousTestCase):
    """Who waits for the disk."""

    def test_default(self) -> None:
        """All but those who say that they do not."""
        for text in ("", "WAIT\x01true\x02", "WAIT\x01TRUE", "A\x01WAIT\x01false\x02"):
            self.assertTrue(waits_for_flush(text), text)
        for text in ("WAIT\x01false\x02", "A\x01b\x02WAIT\x01no"):
            self.assertFalse(waits_for_flush(text), text)


_REST = properties.encode({"A": "b", "C": "d"})
