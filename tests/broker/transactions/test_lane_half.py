"""Tests of rocketmq_tw.broker.transactions.lane_half: which texts are usual."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.send.kinds import Kind, kind_of
from rocketmq_tw.broker.send.properties import read as read_send
from rocketmq_tw.broker.transactions.half import OF_BROKERS
from rocketmq_tw.broker.transactions.lane_half import read
from rocketmq_tw.model.message import CHECK_IMMUNITY_TIME_IN_SECONDS
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.wire import properties

USUAL = "TRAN_MSG\x01true\x02PGROUP\x01PG\x02UNIQ_KEY\x01K1\x02"


class ReadTests(SynchronousTestCase):
    """What is found, and what is left."""

    def test_usual(self) -> None:
        """The tags code, the key and the group."""
        self.assertEqual(read(USUAL), (0, "K1", "PG"))
        self.assertEqual(read("TAGS\x01A\x02" + USUAL), (java_hash("A"), "K1", "PG"))

    def test_left(self) -> None:
        """Whatever asks for more, or lacks something, or is written otherwise."""
        for text in (
            "",
            "\x02",
            USUAL[:-1],
            USUAL.replace("true", "TRUE"),
            USUAL.replace("true", "false"),
            USUAL.replace("UNIQ", "UNIX"),
            USUAL.replace("K1", "K-1"),
            USUAL.replace("K1", ""),
            USUAL.replace("PG\x02", "\x02"),
            USUAL + "TAGS\x01\x02",
            USUAL + f"TAGS\x01{'t' * 65}\x02",
            USUAL + "DELAY\x011\x02",
            USUAL + "POP_CK\x011\x02",
            USUAL + "TIMER_DELAY_SEC\x011\x02",
            USUAL + "_SYS_MSG_PRIORITY_\x011\x02",
            USUAL + f"{CHECK_IMMUNITY_TIME_IN_SECONDS}\x011\x02",
            *(f"{USUAL}{name}\x011\x02" for name in OF_BROKERS),
        ):
            self.assertIsNone(read(text), text)


_NAMES = st.sampled_from(
    ["TRAN_MSG", "PGROUP", "UNIQ_KEY", "TAGS", "WAIT", "DELAY", "KEYS", "x"]
)
_VALUES = st.sampled_from(["true", "false", "K1", "", "1", "a b"])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=6))
@example([("PGROUP", ""), ("UNIQ_KEY", "K1")])
@example([("UNIQ_KEY", "K1"), ("UNIQ_KEY", "")])
def test_like_the_general_reader(pairs: list[tuple[str, str]]) -> None:
    """What is taken is transactional, and has what the general reader finds."""
    text = "".join(f"{name}\x01{value}\x02" for name, value in pairs) + USUAL
    found = read(text)
    if found is None:
        return
    general = read_send(text)
    assert general.special is not None
    kind = kind_of(
        general.special, delay_level=0, reconsume_times=2, is_dead_letter=False
    )
    assert kind is Kind.TRANSACTIONAL
    assert general.has_unique_key
    table = properties.decode(text)
    code = java_hash(general.tag) if general.tag else 0
    assert found == (code, table["UNIQ_KEY"], table["PGROUP"])
