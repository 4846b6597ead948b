"""A broker without sockets, to which messages of transactions are sent."""

from __future__ import annotations

import shutil
from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.transactions import feature as transactions
from rocketmq_tw.broker.transactions.feature import TransactionParts
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import PGROUP, TRAN_MSG, UNIQ_KEY, StoredMessage
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.record import decode
from rocketmq_tw.wire.requests.send import SendMessageV2
from rocketmq_tw.wire.requests.transaction import CheckTransactionState, EndTransaction
from tests.broker.cases import TOPIC, BrokerCase, Peer, sent
from tests.broker.doubles import client_of

PRODUCERS = "PG"
COMMIT, ROLLBACK = sysflag.COMMIT, sysflag.ROLLBACK


def half(
    body: bytes = b"Hello", *, more: dict[str, str] | None = None, **fields: Any
) -> SendMessageV2:
    """Make the send of a half message, as Java clients make it."""
    texts = {TRAN_MSG: "true", PGROUP: PRODUCERS, UNIQ_KEY: body.decode()}
    values: dict[str, Any] = {"sys_flag": sysflag.PREPARED, "queue_id": 2}
    values["properties"] = properties.encode({**texts, **(more or {})})
    values |= fields
    return sent(values.pop("topic", TOPIC), body, **values)


def ended(message: StoredMessage, bits: int = COMMIT, **fields: Any) -> EndTransaction:
    """Make the end of the transaction of a half message."""
    values: dict[str, Any] = {
        "producer_group": PRODUCERS,
        "tran_state_table_offset": message.queue_offset,
        "commit_log_offset": message.commit_log_offset,
        "commit_or_rollback": bits,
        "msg_id": message.unique_key,
    }
    return EndTransaction(**values | fields)


class TransactionCase(BrokerCase):
    """Sends half messages, ends transactions, and reads what became of them."""

    settings = {"mapped_file_size_commit_log": 1 << 20}

    @property
    def parts(self) -> TransactionParts:
        """What the feature installed."""
        parts: TransactionParts = self.made[transactions.install]
        return parts

    def now(self, request: Request[Any]) -> Any:
        """Ask; what waits for a thread has what it waits for by then."""
        answer = self.ask(request)
        if isinstance(answer, Deferred):
            self.clock.pump([0.0] * 3)
            answer = self.successResultOf(answer)
        return answer

    def prepare(self, body: bytes = b"Hello", **fields: Any) -> StoredMessage:
        """Send a half message, and read it."""
        before = self.store.max_offset(TRANS_HALF_TOPIC, 0)
        response = self.now(half(body, **fields))
        self.assertEqual((response.status, response.remark), (0, None))
        return self.messages(TRANS_HALF_TOPIC)[before]

    def end_now(self, message: StoredMessage, bits: int = COMMIT, **more: Any) -> None:
        """End a transaction, and expect that this is right."""
        response = self.now(ended(message, bits, **more))
        self.assertEqual((response.status, response.remark), (0, None))

    def wrong(self, words: str, request: Request[Any], code: int = 1) -> None:
        """Ask, and expect a code and a remark."""
        response = self.now(request)
        self.assertEqual(
            (int(response.status), response.remark), (code, response.remark)
        )
        self.assertIn(words, response.remark)

    def consumed(self) -> list[bytes]:
        """Return the bodies of what consumers can read."""
        return [each.body for each in self.messages(TOPIC, 2)]

    def producer(self, group: str = PRODUCERS) -> Peer:
        """Let a producer of a group be connected."""
        peer = Peer()
        self.tables.clients.register_producer(
            group, client_of(peer, self.clock.seconds())
        )
        return peer

    def killed(self) -> None:
        """Start a broker on a copy of what is there now."""
        copy = self.root + "-killed"
        shutil.copytree(self.root, copy)
        self.stop()
        shutil.rmtree(self.root)
        shutil.move(copy, self.root)
        self.start()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in steps of half a second."""
        self.clock.pump([0.5] * int(seconds * 2))


def questions(peer: Peer) -> list[tuple[CheckTransactionState, StoredMessage]]:
    """Return how a producer was asked, with the messages; they are taken."""
    asked, peer.told[:] = list(peer.told), []
    found = []
    for each in asked:
        assert isinstance(each, CheckTransactionState)
        found.append((each, decode(each.body)))
    return found
