"""
Messages that ask for two things at once: what is refused, and what counts.

Apache RocketMQ accepts all of these, and loses the message, its delay or its
transaction; see the table in ``doc/howto/produce.rst``.
"""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.send.batch import AT_ONCE
from rocketmq_tw.broker.send.mixes import L, M
from rocketmq_tw.wire import batch
from rocketmq_tw.wire.requests.send import SendBatchMessage
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

HALF = "TRAN_MSG\x01true\x02PGROUP\x01PG\x02"
LEVEL = "DELAY\x013\x02"
TIMES = (
    "TIMER_DELAY_SEC\x0160\x02",
    "TIMER_DELAY_MS\x0160000\x02",
    "TIMER_DELIVER_MS\x019700000000000\x02",
)


def batched(*texts: str, outer: str = "", **fields: Any) -> SendBatchMessage:
    """Make a batch of messages with these properties."""
    values = {name: getattr(sent(), name) for name in sent().__struct_fields__}
    items = [(0, b"x", text) for text in texts]
    own = {"body": batch.encode(items), "properties": outer}
    return SendBatchMessage(**values | own | fields)


class TransactionTests(BrokerCase):
    """Messages of transactions."""

    def test_with_a_delay(self) -> None:
        """It would be lost when the delay is over: its topic is overwritten."""
        for text in (LEVEL, *TIMES):
            self.refused(13, "cannot be delayed", sent(properties=HALF + text))
        self.assertEqual(self.store.commit_log_max, 0)

    def test_to_a_retry_topic(self) -> None:
        """Nobody would ever commit it."""
        half = sent(f"%RETRY%{GROUP}", properties=HALF)
        self.refused(13, "cannot be sent to a retry topic", half)

    def test_retried(self) -> None:
        """The copy of a committed message that failed is delayed as any other."""
        again = sent(f"%RETRY%{GROUP}", properties=HALF + LEVEL, reconsume_times=1)
        self.assertEqual(self.ask(again).status, 0)
        self.assertEqual(len(self.messages("SCHEDULE_TOPIC_XXXX", 2)), 1)


class BatchTests(BrokerCase):
    """Batches, and the messages in them."""

    def test_messages_that_ask_for_more(self) -> None:
        """One is enough to refuse the batch; nothing of it is stored."""
        for text, said in (
            (LEVEL, "cannot be delayed"),
            *((text, "cannot be delivered at a time") for text in TIMES),
            (HALF, "cannot be part of a transaction"),
        ):
            self.refused(13, said, batched("", "A\x01b\x02" + text, ""))
            self.refused(13, said, batched("", outer=text))
            marked = sent(body=batched(text).body, batch=True)
            self.refused(13, said, marked)
        self.assertEqual(self.store.commit_log_max, 0)

    def test_what_asks_for_nothing(self) -> None:
        """Names that only look alike, level 0, and a timer that has fired."""
        texts = (
            "DELAY\x010\x02",
            "MODEL\x01DELAYED\x02",
            "X_TRAN_MSG\x01true\x02",
            "TRAN_MSG\x01false\x02",
            f"{TIMES[0]}TIMER_OUT_MS\x015\x02",
        )
        self.assertEqual(self.ask(batched(*texts)).status, 0)
        self.assertEqual(len(self.messages(TOPIC)), len(texts))

    def test_most_are_not_read(self) -> None:
        """Properties as clients send them are not even searched for names."""
        usual = b"UNIQ_KEY\x01AC12000100002A9F\x02WAIT\x01true\x02TAGS\x01A\x02"
        self.assertFalse(L in usual or M in usual)
        for text in (LEVEL, HALF, *TIMES):
            self.assertTrue(L in text.encode() or M in text.encode(), text)


class LargeBatchTests(BrokerCase):
    """A batch that is read in steps."""

    settings = {"max_message_size": 1 << 20, "mapped_file_size_commit_log": 4 << 20}

    def test_in_a_later_step(self) -> None:
        """A large batch is read in steps, and refused whole all the same."""
        large = batched(*[""] * (AT_ONCE + 1000), LEVEL)
        self.refused(13, "cannot be delayed", large)
        self.assertEqual(self.store.commit_log_max, 0)


class DelayTests(BrokerCase):
    """Messages with a delay."""

    def test_level_and_time(self) -> None:
        """The level counts, as in Apache RocketMQ: nothing is lost."""
        self.assertEqual(self.ask(sent(properties=LEVEL + TIMES[0])).status, 0)
        self.assertEqual(len(self.messages("SCHEDULE_TOPIC_XXXX", 2)), 1)
