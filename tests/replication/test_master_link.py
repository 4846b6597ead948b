"""A slave's end of a connection."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import StringTransport

from rocketmq_tw.replication.frames import HEADER, encode_report, encode_transfers
from rocketmq_tw.replication.master_link import MasterLink
from rocketmq_tw.store.message_store import MessageStore
from tests.store.cases import NOW, StoreCase, draft
from tests.store.test_replica import ReplicaCase


class MasterLinkTests(ReplicaCase):
    """What it takes from a master."""

    def setUp(self) -> None:
        """Open the slave's store."""
        super().setUp()
        self.store = self.slave()
        self.closed: list[str] = []
        self.link, self.transport = self.connect(self.store)

    def connect(self, store: MessageStore) -> tuple[MasterLink, Any]:
        """Make a connection."""
        link = MasterLink(
            replica=store.replica,
            clock=self.clock,
            heartbeat_interval=5.0,
            housekeeping_interval=20.0,
            on_closed=lambda link, why: self.closed.append(why),
        )
        transport: Any = StringTransport()
        transport.setTcpKeepAlive = transport.setTcpNoDelay = lambda enabled: None
        transport.abortConnection = lambda: link.connectionLost()
        link.makeConnection(transport)
        return link, transport

    def reported(self) -> list[int]:
        """Return what was reported since the last call."""
        data = self.transport.value()
        self.transport.clear()
        pieces = [data[at : at + 8] for at in range(0, len(data), 8)]
        return [int.from_bytes(piece, "big") for piece in pieces]

    def test_reports(self) -> None:
        """At the start, and whenever whole records were appended."""
        self.assertEqual(self.reported(), [])
        self.link.follow(False)
        self.assertEqual(self.reported(), [0])
        data = encode_transfers(0, self.log, 100)
        for at in range(0, len(data), 50):
            self.link.dataReceived(data[at : at + 50])
        found = self.reported()
        self.assertEqual(found, sorted(set(found)))
        self.assertEqual(found[-1], len(self.log))
        self.assertEqual(self.closed, [])

    def test_heartbeats(self) -> None:
        """They are answered by nothing; the slave reports again by its own clock."""
        self.link.follow(False)
        self.link.dataReceived(encode_transfers(0, b"", 1))
        self.assertEqual(self.reported(), [0])
        self.clock.advance(5.1)
        self.link.tick()
        self.assertEqual(self.reported(), [0])

    def test_bad_bytes(self) -> None:
        """One reason, the connection closed, and the log as it was."""
        for data, why in (
            (b"HTTP/1.1 400 Bad Request", "at once"),
            (HEADER.pack(0, 1 << 30), "at once"),
            (HEADER.pack(0, -1), "at once"),
            (HEADER.pack(100, 10) + b"x" * 10, "ours ends at"),
            (HEADER.pack(100, 0), "ours ends at"),
            (HEADER.pack(0, 100) + b"x" * 100, "there is no record"),
        ):
            link, transport = self.connect(self.store)
            link.follow(False)
            link.dataReceived(data)
            link.dataReceived(data)
            self.assertIn(why, self.closed.pop())
            self.assertEqual(self.closed, [])
            self.assertEqual(self.store.replica.next, 0)

    def test_speaks_first(self) -> None:
        """A master says nothing before it is asked."""
        self.link.dataReceived(encode_transfers(0, self.log, 5000))
        self.assertIn("before this slave has reported", self.closed[0])
        self.assertEqual(self.store.replica.next, 0)

    def test_silence(self) -> None:
        """The connection is closed after the housekeeping interval."""
        self.link.follow(False)
        self.clock.advance(20)
        self.link.tick()
        self.assertEqual(self.closed, [])
        self.clock.advance(1)
        self.link.tick()
        self.assertIn("sent nothing for 20 s", self.closed[0])

    def test_begins_anywhere(self) -> None:
        """An empty log takes the file that the master chose, if it asked for any."""
        self.link.follow(True)
        self.link.dataReceived(encode_transfers(1000, self.log[1000:], 5000))
        self.assertEqual(self.store.commit_log_min, 1000)
        self.assertEqual(self.reported(), [0, len(self.log)])

    def test_lost_within_a_record(self) -> None:
        """What came of it comes again."""
        self.link.follow(False)
        self.link.dataReceived(encode_transfers(0, self.log[:200], 5000))
        self.link.connectionLost()
        self.assertEqual(self.store.replica.next, self.store.replica.end)

    def test_disk_is_behind(self) -> None:
        """With SYNC_FLUSH no more is read than may wait for the disk."""
        from rocketmq_tw.testing import ManualThreads

        threads = ManualThreads(held=False)
        store = self.slave(
            run_in_thread=threads, sync_flush=True, max_unflushed_messages=5
        )
        self.link, self.transport = self.connect(store)
        self.link.follow(False)
        threads.hold()
        self.link.dataReceived(encode_transfers(0, self.log, 5000))
        self.assertEqual(self.transport.producerState, "paused")
        self.assertEqual(self.reported(), [0])
        self.clock.advance(30)
        self.link.tick()
        self.assertEqual((self.closed, self.reported()), ([], [0]))
        threads.release()
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(self.reported(), [len(self.log)])
        # What has come meanwhile is read only after this look.
        self.link.tick()
        self.assertEqual(self.closed, [])
        self.clock.advance(20.1)
        self.link.tick()
        self.assertIn("sent nothing", self.closed[0])


class ClosedTests(StoreCase):
    """A connection to a store that takes nothing."""

    def test_store_is_closed(self) -> None:
        """The master's bytes are dropped with the connection."""
        store = self.open(is_replica=True)
        closed: list[str] = []
        link = MasterLink(
            replica=store.replica,
            clock=self.clock,
            heartbeat_interval=5.0,
            housekeeping_interval=20.0,
            on_closed=lambda link, why: closed.append(why),
        )
        transport: Any = StringTransport()
        transport.setTcpKeepAlive = transport.setTcpNoDelay = lambda enabled: None
        transport.abortConnection = lambda: link.connectionLost()
        link.makeConnection(transport)
        link.follow(False)
        self.assertEqual(transport.value(), encode_report(0))
        self.successResultOf(store.close())
        link.dataReceived(encode_transfers(0, bytes(draft(b"x").body), 100))
        self.assertIn("nothing can be written now", closed[0])
        self.assertEqual(NOW, self.clock.seconds())
