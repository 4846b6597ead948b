"""Tests of the connections of producers, by client id."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.broker.tables.producer_ids import ProducerIds
from tests.broker.doubles import MemoryConnection, client_of


class ProducerIdsTests(SynchronousTestCase):
    """Who is found by an id."""

    def setUp(self) -> None:
        """Make an empty table, and two connections."""
        self.ids = ProducerIds()
        self.one, self.two = MemoryConnection("h:1"), MemoryConnection("h:2")

    def test_last_connection_counts(self) -> None:
        """A client that has connected again is found there."""
        self.ids.add("c", self.one)
        self.ids.add("c", self.two)
        self.assertIs(self.ids.find("c"), self.two)
        self.ids.remove(self.one)
        self.assertIs(self.ids.find("c"), self.two)

    def test_one_id_of_a_connection(self) -> None:
        """A connection that names another id each time has one entry."""
        for number in range(10):
            self.ids.add(f"c{number}", self.one)
        self.assertIsNone(self.ids.find("c8"))
        self.assertIs(self.ids.find("c9"), self.one)
        self.assertEqual((len(self.ids._peers), len(self.ids._ids)), (1, 1))

    def test_removed(self) -> None:
        """Nothing is left of a connection that is gone; an unknown one is nothing."""
        self.ids.add("c", self.one)
        self.ids.remove(self.one)
        self.ids.remove(self.two)
        self.assertIsNone(self.ids.find("c"))
        self.assertEqual((self.ids._peers, self.ids._ids), ({}, {}))


class ClientTableTests(SynchronousTestCase):
    """The table of clients keeps it."""

    def test_kept_until_the_last_group(self) -> None:
        """A producer of two groups is found until it has left both, or is lost."""
        clients = ClientTable(lambda group, members: None)
        peer = MemoryConnection("h:1")
        for group in ("PG1", "PG2"):
            clients.register_producer(group, client_of(peer, client_id="c"))
        clients.unregister_producer("PG1", peer)
        self.assertIs(clients.producer_ids.find("c"), peer)
        clients.connection_lost(peer)
        self.assertIsNone(clients.producer_ids.find("c"))
