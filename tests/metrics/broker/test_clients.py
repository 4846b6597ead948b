"""Which clients are connected."""

from __future__ import annotations

from rocketmq_tw.metrics.broker import clients
from rocketmq_tw.model.group import ConsumeType, MessageModel
from tests.broker.cases import GROUP, Peer
from tests.broker.doubles import client_of
from tests.metrics.broker.cases import MetricsCase

PRODUCERS = "rocketmq_producer_connections"
CONSUMERS = "rocketmq_consumer_connections"


class ClientMetricsTests(MetricsCase):
    """Producers and consumers."""

    def test_producers(self) -> None:
        """A connection counts once, whatever its groups."""
        table = self.tables.clients
        for group in ("a", "b"):
            table.register_producer(group, client_of(self.peer, version=515))
        other = client_of(Peer(), language="GO", version=401)
        table.register_producer("a", other)
        page = self.read()
        labels = {"language": "java", "version": "v5_5_1", "protocol_type": "remoting"}
        self.assertEqual(page.get(PRODUCERS, **labels), 1)
        self.assertEqual(page.get(PRODUCERS, language="go", version="v4_9_4"), 1)

    def consume(self, group: str, kind: ConsumeType | None, count: int = 1) -> None:
        """Let members join a group."""
        for _ in range(count):
            self.tables.clients.register_consumer(
                group,
                client_of(Peer()),
                consume_type=kind,
                message_model=MessageModel.CLUSTERING,
                consume_from=None,
                subscriptions=[],
            )

    def test_consumers(self) -> None:
        """Members of each group, by how they consume."""
        self.consume(GROUP, ConsumeType.CONSUME_PASSIVELY, 2)
        self.consume("pop", ConsumeType.CONSUME_POP)
        self.consume("TOOLS_CONSUMER", ConsumeType.CONSUME_ACTIVELY)
        self.consume("odd", None)
        page = self.read()
        for group, mode, count, system in (
            (GROUP, "push", 2, "false"),
            ("pop", "pop", 1, "false"),
            ("TOOLS_CONSUMER", "pull", 1, "true"),
            ("odd", "unknown", 1, "false"),
        ):
            found = page.get(
                CONSUMERS, consumer_group=group, consume_mode=mode, is_system=system
            )
            self.assertEqual(found, count)

    def test_gone(self) -> None:
        """Who leaves is no longer counted."""
        self.tables.clients.register_producer("a", client_of(self.peer))
        self.read()
        self.tables.clients.connection_lost(self.peer)
        self.assertEqual(self.read().labels(PRODUCERS), [])

    def test_many(self) -> None:
        """Large groups are counted in steps."""
        self.consume(GROUP, ConsumeType.CONSUME_PASSIVELY, clients.MEMBERS + 1)
        self.assertEqual(self.read().get(CONSUMERS), clients.MEMBERS + 1)

    def test_long_language(self) -> None:
        """A language is a short label, whatever a client calls it."""
        self.tables.clients.register_producer(
            "a", client_of(self.peer, language="X" * 10_000)
        )
        [labels] = self.read().labels(PRODUCERS)
        self.assertEqual(labels["language"], "x" * 20)
