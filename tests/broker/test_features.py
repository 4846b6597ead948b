"""What is installed into a broker, and that the parts come together."""

from __future__ import annotations

from rocketmq_tw.broker.features import FEATURES
from rocketmq_tw.wire.codes import RequestCode
from tests.broker.cases import GROUP, BrokerCase, sent

#: Requests of clients; what tools ask is up to the processors' own tests.
OF_CLIENTS = (
    RequestCode.SEND_MESSAGE,
    RequestCode.SEND_MESSAGE_V2,
    RequestCode.SEND_BATCH_MESSAGE,
    RequestCode.CONSUMER_SEND_MSG_BACK,
    RequestCode.PULL_MESSAGE,
    RequestCode.LITE_PULL_MESSAGE,
    RequestCode.HEART_BEAT,
    RequestCode.UNREGISTER_CLIENT,
    RequestCode.GET_CONSUMER_LIST_BY_GROUP,
    RequestCode.QUERY_CONSUMER_OFFSET,
    RequestCode.UPDATE_CONSUMER_OFFSET,
    RequestCode.LOCK_BATCH_MQ,
    RequestCode.UNLOCK_BATCH_MQ,
    RequestCode.QUERY_MESSAGE,
    RequestCode.VIEW_MESSAGE_BY_ID,
)


class FeaturesTests(BrokerCase):
    """All features, installed into one broker."""

    def test_handled(self) -> None:
        """Somebody handles each request that clients send."""
        for code in OF_CLIENTS:
            self.assertIsNotNone(self.router.find(code), code.name)

    def test_each_once(self) -> None:
        """No feature stands in the list twice."""
        self.assertEqual(len(set(FEATURES)), len(FEATURES))

    def test_what_runs_periodically(self) -> None:
        """Offsets are written, clients and locks expire, rates are sampled."""
        self.subscribe()
        self.tables.locks.lock(GROUP, "client", [("T", 0)])  # type: ignore[list-item]
        self.tables.offsets.commit(GROUP, "T", 0, 7)
        self.ask(sent())
        self.clock.pump([5.0] * 2)
        self.assertIn(b'"T@GroupTest"', self.read("config/consumerOffset.json"))
        self.assertEqual(self.stats.rates("messages_in")[0], 0.1)
        self.clock.pump([5.0] * 2)
        self.assertEqual(self.stats.rates("messages_in")[0], 0.0)
        self.assertIsNotNone(self.tables.clients.consumer_group(GROUP))
        self.clock.pump([5.0] * 24)
        self.assertIsNone(self.tables.clients.consumer_group(GROUP))
        self.assertTrue(self.peer.closed)
        self.assertEqual(self.tables.locks._held, {})

    def read(self, name: str) -> bytes:
        """Read a file of the store's folder."""
        with open(self.path(name), "rb") as file:
            return file.read()
