"""
Bytes that are no replication stream, in both directions.

Whatever comes, and however it is cut: the log of the receiver changes by whole records
of the master only, at most one reason closes the connection, and little is kept.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from rocketmq_tw.replication.frames import HEADER, REPORT, encode_transfers
from rocketmq_tw.replication.master_link import MasterLink
from rocketmq_tw.replication.slave_link import LinkSettings, SlaveLink
from rocketmq_tw.store.log.received import LARGEST, scan
from rocketmq_tw.store.message_store import MessageStore
from tests.replication.pair import Lines
from tests.store.test_replica import ReplicaCase

#: The same cases in each run.
FIXED = settings(derandomize=True, max_examples=150, deadline=None)

LONGS = st.integers(-(2**63), 2**63 - 1)
#: Whole headers with any numbers, reports, and bytes without a meaning.
PIECES = st.one_of(
    st.binary(max_size=60),
    st.builds(HEADER.pack, LONGS, st.integers(-9, 2**31 - 1)),
    st.builds(HEADER.pack, st.just(0), st.integers(0, 5000)),
    st.builds(REPORT.pack, LONGS),
    st.builds(REPORT.pack, st.integers(0, 1500)),
)
CUTS = st.lists(st.integers(1, 97), min_size=1, max_size=20)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut bytes into pieces of these sizes, again and again."""
    pieces, at = [], 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


def connected(link: Any) -> Any:
    """Connect a protocol to a transport that keeps what it writes."""
    transport: Any = StringTransport()
    transport.setTcpKeepAlive = transport.setTcpNoDelay = lambda enabled: None
    transport.abortConnection = lambda: link.connectionLost()
    link.makeConnection(transport)
    return transport


class HostileMasterTests(ReplicaCase):
    """What a slave makes of such bytes."""

    def setUp(self) -> None:
        """Open the slave's store."""
        super().setUp()
        self.store: MessageStore = self.slave()
        self.closed: list[str] = []

    def follow(self) -> MasterLink:
        """Follow a master of the test."""
        self.closed.clear()
        link = MasterLink(
            replica=self.store.replica,
            clock=self.clock,
            heartbeat_interval=5.0,
            housekeeping_interval=20.0,
            on_closed=lambda link, why: self.closed.append(why),
        )
        connected(link)
        link.follow(False)
        return link

    def feed(self, link: MasterLink, data: bytes, sizes: list[int]) -> None:
        """Let bytes arrive, also after the connection is closed."""
        replica = self.store.replica
        for piece in cut(data, sizes):
            before = replica.end, bool(self.closed)
            link.dataReceived(piece)
            self.assertLessEqual(len(self.closed), 1)
            self.assertLessEqual(replica.next - replica.end, LARGEST)
            if before[1]:
                self.assertEqual(replica.end, before[0])

    def end(self, link: MasterLink) -> None:
        """Lose the connection; what was a part of a record is dropped."""
        if not self.closed:
            link.connectionLost()
        self.assertEqual(self.store.replica.next, self.store.replica.end)

    @FIXED
    @given(st.lists(PIECES, min_size=1, max_size=8), CUTS)
    def test_garbage(self, pieces: list[bytes], sizes: list[int]) -> None:
        """Nothing of it is written."""
        link = self.follow()
        self.feed(link, b"".join(pieces), sizes)
        self.end(link)
        self.assertTrue(self.store.replica.is_empty)

    @settings(FIXED, max_examples=60)
    @given(
        st.integers(0, 1 << 20),
        st.sampled_from(("change", "drop", "add")),
        st.binary(min_size=1, max_size=16),
        CUTS,
    )
    def test_changed(
        self, where: int, kind: str, other: bytes, sizes: list[int]
    ) -> None:
        """What comes before the change is copied; never part of a record."""
        self.successResultOf(self.store.close())
        self.store = self.slave()
        stream = encode_transfers(0, self.log, 120)
        at = where % len(stream)
        changed = {
            "change": stream[:at] + other + stream[at + len(other) :],
            "drop": stream[:at] + stream[at + len(other) :],
            "add": stream[:at] + other + stream[at:],
        }[kind]
        link = self.follow()
        self.feed(link, changed, sizes)
        self.end(link)
        copy = self.log_of(self.store)
        transfers, rest = divmod(at, HEADER.size + 120)
        same = min(transfers * 120 + max(0, rest - HEADER.size), len(copy))
        self.assertEqual(copy[:same], self.log[:same])
        received = scan(copy, 0, self.store.replica.file_size)
        self.assertEqual((received.end, received.damage), (len(copy), None))


class HostileSlaveTests(ReplicaCase):
    """What a master makes of such bytes."""

    @FIXED
    @given(st.lists(PIECES, min_size=1, max_size=8), CUTS)
    def test_garbage(self, pieces: list[bytes], sizes: list[int]) -> None:
        """Nobody acknowledges more than there is; one reason closes the connection."""
        lines: list[str] = []
        source = self.master.source
        link = SlaveLink(
            source=source,
            clock=self.clock,
            settings=LinkSettings(),
            address="10.0.0.9:1",
            on_report=lambda link: None,
            on_lost=lambda link: None,
            peers=Lines(lines),
        )
        transport = connected(link)
        end, log, acked = source.end, self.log, -1
        for piece in cut(b"".join(pieces), sizes):
            link.dataReceived(piece)
            self.assertLessEqual(acked, link.acked)
            self.assertLessEqual(link.acked, end)
            self.assertLessEqual(len(lines), 1)
            self.assertLess(len(link._reports._rest), REPORT.size)
            acked = link.acked
        if lines:
            before = transport.value()
            link.dataReceived(REPORT.pack(end))
            link.pump()
            self.assertEqual(transport.value(), before)
        self.assertEqual((source.end, self.log_of(self.master)), (end, log))
        self.assertLessEqual(len(transport.value()), 2 * len(log) + HEADER.size)
        link.connectionLost()
