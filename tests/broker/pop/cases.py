"""A broker without sockets whose messages are popped."""

from __future__ import annotations

import shutil
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.pop import feature as pop
from rocketmq_tw.model.message import POP_CK, StoredMessage
from rocketmq_tw.wire import record
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.receipts import (
    Receipt,
    parse_offsets,
    parse_receipt,
    parse_starts,
    real_topic,
)
from rocketmq_tw.wire.requests.pop import (
    AckMessage,
    ChangeInvisibleTime,
    PopMessage,
    PopResponse,
)
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent


def popped(**fields: Any) -> PopMessage:
    """Make a pop of up to 32 messages of all queues for 10 s, that does not wait."""
    values: dict[str, Any] = {
        "consumer_group": GROUP,
        "topic": TOPIC,
        "queue_id": -1,
        "max_msg_nums": 32,
        "invisible_time": 10_000,
        "poll_time": 0,
        "exp_type": "TAG",
        "exp": "*",
    }
    return PopMessage(**values | fields)


def acknowledged(
    receipt: Receipt, group: str = GROUP, topic: str = TOPIC
) -> AckMessage:
    """Make the acknowledgement of a message."""
    return AckMessage(
        consumer_group=group,
        topic=real_topic(topic, group, receipt.retry),
        queue_id=receipt.queue_id,
        extra_info=receipt.encode(),
        offset=receipt.offset,
    )


def changed(receipt: Receipt, invisible_ms: int, **fields: Any) -> ChangeInvisibleTime:
    """Make a change of a message's invisible time."""
    values: dict[str, Any] = {
        "consumer_group": GROUP,
        "topic": real_topic(TOPIC, GROUP, receipt.retry),
        "queue_id": receipt.queue_id,
        "extra_info": receipt.encode(),
        "offset": receipt.offset,
        "invisible_time": invisible_ms,
    }
    return ChangeInvisibleTime(**values | fields)


def receipts_of(response: PopResponse) -> dict[bytes, Receipt]:
    """Return the receipts of a response by the bodies of their messages."""
    starts = parse_starts(response.start_offset_info)
    receipts: dict[bytes, Receipt] = {}
    for message in record.decode_all(response.body):
        own = message.properties.get(POP_CK)
        if own:
            receipts[message.body] = parse_receipt(own)
            continue
        key = 0, message.queue_id
        assert message.queue_offset in parse_offsets(response.msg_offset_info)[key]
        receipts[message.body] = Receipt(
            starts[key],
            response.pop_time,
            response.invisible_time,
            response.revive_qid,
            0,
            "broker-a",
            message.queue_id,
            message.queue_offset,
        )
    return receipts


class PopCase(BrokerCase):
    """
    Has a topic of four queues.

    :ivar pop: what the feature installed.
    """

    def setUp(self) -> None:
        """Create it."""
        super().setUp()
        self.topic()

    def start(self) -> None:
        """Start the broker; no pop begins with the retry topic."""
        self.settings = {"pop_from_retry_probability": 0, **self.settings}
        super().start()
        self.pop: pop.PopParts = self.made[pop.install]

    def now(self, request: Request[Any]) -> Any:
        """Ask, and expect a response without waiting."""
        outcome = self.ask(request)
        return self.successResultOf(outcome) if self.is_later(outcome) else outcome

    def is_later(self, outcome: Any) -> bool:
        """Return whether a handler gave a Deferred."""
        return isinstance(outcome, Deferred)

    def fill(self, *bodies: bytes, queue_id: int = 0, tag: str = "") -> None:
        """Send messages."""
        text = f"TAGS\x01{tag}\x02" if tag else ""
        for body in bodies:
            self.ask(sent(body=body, queue_id=queue_id, properties=text))

    def receipts(self, **fields: Any) -> dict[bytes, Receipt]:
        """Pop, and return the receipts by the bodies."""
        return receipts_of(self.now(popped(**fields)))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, the last seconds in small steps."""
        if seconds > 60:
            self.clock.advance(seconds - 5)
            seconds = 5
        self.clock.pump([0.1] * round(seconds * 10))

    def retries(self) -> list[StoredMessage]:
        """Return the messages of the retry topic."""
        return self.messages(real_topic(TOPIC, GROUP, 1))

    def kill(self) -> None:
        """End the broker and start another on the folder as a kill had left it."""
        left = f"{self.root}-left"
        shutil.copytree(self.root, left)
        self.stop()
        self.root = left
        self.start()
