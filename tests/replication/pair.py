"""A master and its slaves on one clock, with connections that a test can harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from rocketmq_tw.replication.master import MasterService
from rocketmq_tw.replication.prefix import Bounds
from rocketmq_tw.replication.slave import RETRY, SlaveService, SlaveSettings
from rocketmq_tw.replication.slave_link import LinkSettings
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing.link import Link
from tests.store.cases import NOW, StoreCase, draft

SERVICE, HA = "10.0.0.1:10911", "10.0.0.1:10912"


class LocalLog:
    """A master's log, without requests."""

    def __init__(self, store: MessageStore) -> None:
        self.store = store

    async def bounds(self) -> Bounds:
        """Return where it begins and ends."""
        return Bounds(self.store.commit_log_min, self.store.commit_log_max)

    async def record_at(self, offset: int) -> bytes | None:
        """Return a record."""
        found = self.store.record_at(offset)
        return await found if isinstance(found, Deferred) else found


class Lines:
    """
    Keeps why peers were disconnected, and the other lines about them.

    :param complaints: takes the reasons.
    """

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints
        self.infos: list[str] = []

    def complain(self, peer: str, why: str) -> None:
        """Keep a reason."""
        self._complaints.append(why)

    def info(self, log: Logger, host: str, text: str, **fields: Any) -> None:
        """Keep a line."""
        self.infos.append(text.format(**fields))


class PairCase(StoreCase):
    """
    A master that runs, and slaves that follow it.

    :ivar links: the connections made so far.
    :ivar on_link: called with each new one before a byte passes.
    :ivar complaints: why the master closed connections.
    :ivar log_kind: the master's log, as slaves ask about it.
    """

    links: list[Link]
    log_kind = LocalLog

    def setUp(self) -> None:
        """Start the master."""
        super().setUp()
        self.links, self.complaints = [], list[str]()
        self.on_link: Callable[[Link], None] = lambda link: None
        self.is_down = self.is_silent = False
        self.master_store = self.open()
        self.master = self.make_master(self.master_store)

    def make_master(
        self, store: MessageStore, max_links: int = 8, **settings: Any
    ) -> MasterService:
        """Start a master."""
        master = MasterService(
            source=store.source,
            clock=self.clock,
            settings=LinkSettings(**settings),
            max_links=max_links,
            max_links_per_address=5,
            peers=Lines(self.complaints),
        )
        master.startService()
        self.addCleanup(lambda: master.running and master.stopService())
        return master

    def open_slave(self, root: str | None = None, **options: Any) -> MessageStore:
        """Open a slave's store."""
        root = root or self.mktemp()
        os.makedirs(root, exist_ok=True)
        return self.open(root, is_replica=True, **options)

    def slave(self, store: MessageStore, **settings: Any) -> SlaveService:
        """Start a slave that knows its master."""
        slave = SlaveService(
            store=store,
            replica=store.replica,
            clock=self.clock,
            settings=SlaveSettings(**settings),
            connect=self.connect,
            master_log=lambda address: self.log_kind(self.master_store),
            wall_time=self.clock.seconds,
        )
        slave.set_master(SERVICE, HA)
        slave.startService()
        self.addCleanup(lambda: slave.running and slave.stopService())
        return slave

    def connect(self, address: str, factory: Factory) -> Deferred[Any]:
        """Connect a slave to the master."""
        here = f"10.0.0.2:{40_000 + len(self.links)}"
        host, _, port = here.partition(":")
        if self.is_silent:
            return Deferred()
        server = None
        if not self.is_down:
            peer = IPv4Address("TCP", host, int(port))
            server = self.master.factory.buildProtocol(peer)
        if server is None:
            return fail(ConnectionRefusedError())
        link = Link(self.clock, here, address)
        self.links.append(link)
        self.on_link(link)
        link.far.attach(server)
        client: Any = factory.buildProtocol(None)
        link.near.attach(client)
        return succeed(client)

    def send(self, count: int, body: bytes = b"Hello") -> None:
        """Store messages at the master."""
        for number in range(count):
            self.master_store.put(draft(body + b" %d" % number), NOW)

    def turn(self, seconds: float = 0.0, steps: int = 40) -> None:
        """Let some iterations of the reactor pass, then some time."""
        for _ in range(steps):
            self.clock.advance(0.001)
        while seconds > 0:
            self.clock.advance(min(seconds, 0.5))
            seconds -= 0.5

    def retry(self) -> None:
        """Let a slave try again, and copy."""
        self.turn(RETRY)
        self.turn()

    def assert_prefix(self, slave: MessageStore) -> None:
        """The slave's log is the beginning of the master's."""
        master, copy = self.log_of(self.master_store), self.log_of(slave)
        skipped = slave.commit_log_min - self.master_store.commit_log_min
        if copy:
            self.assertEqual(copy, master[skipped : skipped + len(copy)])

    def assert_copied(self, slave: MessageStore) -> None:
        """The slave has all that the master has."""
        self.assertEqual(slave.commit_log_max, self.master_store.commit_log_max)
        self.assert_prefix(slave)
