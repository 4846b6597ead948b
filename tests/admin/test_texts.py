"""Numbers, times and errors, as results have them."""

from __future__ import annotations

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.errors import InvalidArgument
from rocketmq_tw.admin.texts import (
    LONGEST_SENTENCE,
    at,
    number,
    sentence,
    to_ms,
    version_name,
    whole,
)
from rocketmq_tw.remoting.errors import BrokerError, ConnectError, RequestTimeout


class TextTests(SynchronousTestCase):
    """What comes from the wire may be anything."""

    def test_times(self) -> None:
        """What is no time after 1970 is none."""
        then = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
        self.assertEqual(at(1_700_000_000_000), then)
        self.assertEqual(to_ms(then), 1_700_000_000_000)
        with self.assertRaises(InvalidArgument):
            to_ms(datetime.min)
        self.assertEqual([at(0), at(-1), at(1 << 62)], [None, None, None])

    def test_numbers(self) -> None:
        """Texts of brokers are read as far as they are numbers."""
        self.assertEqual([whole("12"), whole("x"), whole(None, 7)], [12, 0, 7])
        self.assertEqual(number("33.5 1.0 0.0"), 33.5)
        self.assertEqual([number(""), number(" 1.0"), number(None)], [0.0, 0.0, 0.0])
        self.assertEqual([number("nan"), number("inf")], [0.0, 0.0])

    def test_versions(self) -> None:
        """Numbers from 4.0 on have names."""
        names = {401: "V4_9_4", 413: "V5_0_0", 479: "V5_3_3", 478: "V5_3_3_SNAPSHOT"}
        self.assertEqual({n: version_name(n) for n in names}, names)
        self.assertEqual(version_name(62), "62")

    def test_sentences(self) -> None:
        """Errors become one line that controls no terminal."""
        refused = BrokerError(17, "no\x1b[2J topic\nat Java.line", "a:1", "GetRoute")
        self.assertEqual(sentence(refused), "TOPIC_NOT_EXIST (17): no\\x1b[2J topic")
        self.assertEqual(sentence(ConnectError("a:1", "why")), "not reachable: why")
        self.assertEqual(sentence(RequestTimeout("a:1", "5 s")), "no response: 5 s")
        self.assertEqual(sentence(KeyError()), "KeyError")
        longest = sentence(BrokerError(1, "x" * 5000, "a:1", "R"))
        self.assertLessEqual(len(longest), LONGEST_SENTENCE + 3)
