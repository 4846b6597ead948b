"""Records of traces, byte for byte as Apache RocketMQ 5.5 writes them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.trace import (
    ConsumeOutcome,
    TracedKind,
    TracedMessage,
    after_consumption,
    before_consumption,
    published,
    recalled,
    transaction_ended,
)

TIME = 1_700_000_000_000
REGION = "DefaultRegion"
FULL = TracedMessage("T", "M1", "A", "k1 k2")
BARE = TracedMessage("T", "M1")


def sent(message: TracedMessage = FULL, offset_id: str | None = "OM") -> str:
    """Return the record of a message that was sent."""
    return published(
        message,
        time_ms=TIME,
        region=REGION,
        group="PG",
        host="10.0.0.2:10911",
        size=5,
        cost_ms=7,
        kind=TracedKind.NORMAL,
        offset_id=offset_id,
        success=True,
    )


def before(message: TracedMessage = FULL) -> str:
    """Return the record of a message that a handler is about to get."""
    return before_consumption(
        message,
        time_ms=TIME,
        region=REGION,
        group="PG",
        request_id="RQ",
        retries=2,
    )


def after(outcome: ConsumeOutcome = ConsumeOutcome.SUCCESS) -> str:
    """Return the record of a message that a handler has got."""
    return after_consumption(
        FULL, time_ms=TIME, group="PG", request_id="RQ", cost_ms=7, outcome=outcome
    )


def ended(transaction_id: str | None = "X1") -> str:
    """Return the record of the end of a transaction."""
    return transaction_ended(
        FULL,
        time_ms=TIME,
        region=REGION,
        group="PG",
        host="10.0.0.2:10911",
        transaction_id=transaction_id,
        state="COMMIT_MESSAGE",
        from_check=True,
    )


def called_back() -> str:
    """Return the record of a delayed message that was recalled."""
    return recalled("T", "M1", time_ms=TIME, region=REGION, group="PG", success=True)


#: What Java wrote of the same values.
GOLDEN = {
    sent: """
        50756201313730303030303030303030300144656661756c74526567696f6e0150470154014d3101
        41016b31206b320131302e302e302e323a3130393131013501370130014f4d017472756502
        """,
    before: """
        5375624265666f726501313730303030303030303030300144656661756c74526567696f6e015047
        015251014d310132016b31206b3202
        """,
    after: """
        5375624166746572015251014d3101370174727565016b31206b3201300131373030303030303030
        30303001504702
        """,
    ended: """
        456e645472616e73616374696f6e01313730303030303030303030300144656661756c7452656769
        6f6e0150470154014d310141016b31206b320131302e302e302e323a313039313101320158310143
        4f4d4d49545f4d455353414745017472756502
        """,
    called_back: """
        526563616c6c01313730303030303030303030300144656661756c74526567696f6e015047015401
        4d31017472756502
        """,
}


class RecordTests(SynchronousTestCase):
    """One record of each kind."""

    def test_golden(self) -> None:
        """Every byte is Java's."""
        for made, expected in GOLDEN.items():
            self.assertEqual(made().encode(), bytes.fromhex(expected), made.__name__)

    def test_missing_texts(self) -> None:
        """They are the word null: nothing at the end would cost all of the message."""
        items = sent(BARE, offset_id=None).split("\x01")
        self.assertEqual((items[6], items[7], items[12]), ("null", "null", "null"))
        self.assertTrue(before(BARE).endswith("\x01null\x02"))
        empty = TracedMessage("T", "M1", "", "")
        self.assertEqual(sent(empty), sent(BARE))
        self.assertEqual(ended(None).split("\x01")[10], "null")

    def test_outcomes(self) -> None:
        """Only success is one; the numbers are Java's."""
        for outcome, number in zip(ConsumeOutcome, "01234", strict=True):
            items = after(outcome).split("\x01")
            self.assertEqual(items[4], "true" if number == "0" else "false")
            self.assertEqual(items[6], number)

    def test_separators_in_texts(self) -> None:
        """They would end an item or the record: they are left out."""
        record = sent(TracedMessage("T", "M1", "A\x02B", "\x01"))
        items = record.split("\x01")
        self.assertEqual((len(items), record.count("\x02")), (14, 1))
        self.assertEqual((items[6], items[7]), ("AB", "null"))

    def test_index_keys(self) -> None:
        """A trace is found under the message's id and its keys."""
        self.assertEqual(FULL.index_keys(), ("M1", "k1", "k2"))
        self.assertEqual(BARE.index_keys(), ("M1",))
