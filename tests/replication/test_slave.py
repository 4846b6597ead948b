"""A slave follows its master, whatever happens to their connections."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from rocketmq_tw.replication.frames import encode_report
from rocketmq_tw.replication.prefix import Bounds
from rocketmq_tw.replication.slave import RECHECK, RETRY, FollowState
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.store.queues.fetch import FetchStatus
from rocketmq_tw.testing.link import Link, LinkState, MemoryTransport
from rocketmq_tw.wire.record import decode_all
from tests.replication.pair import HA, SERVICE, LocalLog, PairCase
from tests.store.cases import NOW, SIZE, TOPIC, draft


class FollowTests(PairCase):
    """Copying."""

    def test_whole_log(self) -> None:
        """An empty slave copies all files, then what is stored later."""
        self.send(30)
        slave = self.open_slave()
        self.slave(slave)
        self.turn()
        self.assert_copied(slave)
        self.assertEqual(slave.commit_log_min, 0)
        self.send(5)
        self.turn()
        self.assert_copied(slave)

    def test_empty_master(self) -> None:
        """Both begin with nothing."""
        slave = self.open_slave()
        self.slave(slave)
        self.turn()
        self.send(3)
        self.turn()
        self.assert_copied(slave)

    def test_last_file_only(self) -> None:
        """With the option, an empty slave begins with the master's last file."""
        self.send(30)
        slave = self.open_slave()
        self.slave(slave, from_last_file=True)
        self.turn()
        self.assert_copied(slave)
        self.assertEqual(
            slave.commit_log_min, self.master_store.source.end // 1000 * 1000
        )

    def test_oldest_file_is_gone(self) -> None:
        """An empty slave begins with the oldest file that the master has."""
        self.send(30)
        self.turn(3)
        self.master_store._log.files.remove(0)
        slave = self.open_slave()
        self.slave(slave)
        self.turn()
        self.assert_copied(slave)
        self.assertEqual(slave.commit_log_min, 1000)

    def test_readable(self) -> None:
        """Queues and listeners are fed like those of the master."""
        slave, heard = self.open_slave(), list[int]()
        slave.add_listener(lambda topic, queue, end, code, time: heard.append(end))
        self.slave(slave)
        self.turn()
        self.send(3)
        self.turn()
        fetched = slave.get(TOPIC, 0, 0, 32, 1 << 20, None)
        assert not isinstance(fetched, Deferred)
        found = [each.body for each in decode_all(fetched.data)]
        self.assertEqual(found, [b"Hello 0", b"Hello 1", b"Hello 2"])
        self.assertEqual(fetched.status, FetchStatus.FOUND)
        self.assertEqual(heard, [1, 2, 3])

    def test_several_slaves(self) -> None:
        """Each at its own pace."""
        self.send(10)
        slaves = [self.open_slave() for _ in range(3)]
        for store in slaves:
            self.slave(store)
            self.turn()
            self.send(5)
        self.turn()
        for store in slaves:
            self.assert_copied(store)
        self.assertEqual(self.master.status().in_sync_slaves, 3)

    def test_restarted_slave(self) -> None:
        """It goes on where its log ends."""
        root = self.mktemp()
        self.send(12)
        store = self.open_slave(root)
        slave = self.slave(store)
        self.turn()
        slave.stopService()
        self.successResultOf(store.close())
        self.send(12)
        store = self.open_slave(root)
        self.slave(store)
        self.turn()
        self.assert_copied(store)

    def test_sync_flush(self) -> None:
        """What is not on its disk is neither readable nor reported."""
        slave = self.open_slave(sync_flush=True)
        self.slave(slave)
        self.turn()
        self.send(3)
        self.turn()
        self.assert_copied(slave)
        self.assertEqual(slave.max_offset(TOPIC, 0), 3)
        self.assertEqual(self.master.links[0].acked, slave.commit_log_max)


class AddressTests(PairCase):
    """Where the master is."""

    def test_name_servers_lose_the_master(self) -> None:
        """The connection to it stays; it is asked where it was asked before."""
        slave = self.open_slave()
        service = self.slave(slave)
        self.turn()
        service.set_master("", HA)
        self.assertEqual(service.state, FollowState.FOLLOWING)
        self.links[0].reset()
        self.send(3)
        self.retry()
        self.assert_copied(slave)

    def test_no_master(self) -> None:
        """Without an address nothing is followed; another one is followed at once."""
        slave = self.open_slave()
        service = self.slave(slave)
        self.turn()
        service.set_master("", "")
        self.turn()
        self.assertEqual(service.state, FollowState.IDLE)
        self.assertFalse(self.links[0].near.is_connected)
        self.send(3)
        service.set_master(SERVICE, HA)
        self.turn()
        self.assert_copied(slave)

    def test_master_is_down(self) -> None:
        """It is tried again and again, at longer and longer intervals."""
        self.is_down = True
        slave = self.open_slave()
        self.slave(slave)
        self.turn(30)
        self.is_down = False
        self.send(3)
        self.retry()
        self.assert_copied(slave)


class SilentTests(PairCase):
    """A master that does not respond."""

    def said(self, seconds: float) -> list[str]:
        """Start a slave, and return what it logs of its master."""
        slave = self.open_slave()
        with capturedLogs() as events:
            self.slave(slave)
            self.turn(seconds)
        return [event["why"] for event in events if "why" in event]

    def test_never_connected(self) -> None:
        """The log says how long it was waited for a connection."""
        self.is_silent = True
        self.assertEqual(self.said(5.5), ["no connection was made within 5 s"])

    def test_never_compared(self) -> None:
        """The log says how long it was waited for what the master knows of its log."""

        class Silent(LocalLog):
            """Does not tell where it ends."""

            async def bounds(self) -> Bounds:
                """Wait for ever."""
                return await Deferred[Bounds]()

        self.log_kind = Silent
        expected = "it did not say what its commit log has within 15 s"
        self.assertEqual(self.said(15.5), [expected])


class HarmTests(PairCase):
    """At every moment the slave's log is the beginning of its master's."""

    def test_cut_at_every_byte(self) -> None:
        """Of what the master sends, over one connection after the other."""
        slave = self.open_slave()
        self.slave(slave)
        for cut in range(3 * SIZE):
            self.send(1)
            self.on_link = lambda link, cut=cut: cut_after(link, link.near, cut)
            self.cut_at(slave)
        self.on_link = lambda link: None
        self.retry()
        self.assert_copied(slave)
        self.assertGreater(len(self.links), 3 * SIZE)

    def cut_at(self, slave: MessageStore) -> None:
        """Break the connection there is, and see the next one break."""
        if self.links:
            self.links[-1].reset()
        self.turn(steps=3)
        self.clock.advance(RETRY)
        self.turn(steps=8)
        self.assert_prefix(slave)

    def test_cut_at_every_byte_of_reports(self) -> None:
        """Of what the slave sends."""
        slave = self.open_slave()
        self.slave(slave)
        for cut in range(40):
            self.send(1)
            self.on_link = lambda link, cut=cut: cut_after(link, link.far, cut)
            self.cut_at(slave)
        self.on_link = lambda link: None
        self.retry()
        self.assert_copied(slave)

    def test_half_open(self) -> None:
        """A silent connection is noticed at both ends, and made again."""
        self.send(5)
        slave = self.open_slave()
        service = self.slave(slave)
        self.turn()
        self.links[0].set_state(LinkState.SILENT)
        self.send(5)
        self.turn(22)
        self.assertIn("reported nothing for 20 s", self.complaints[0])
        self.retry()
        self.assertEqual(service.state, FollowState.FOLLOWING)
        self.assertEqual(len(self.links), 2)
        self.assert_copied(slave)

    def test_delayed(self) -> None:
        """Bytes that wait for 15 s do no harm; the connection lasts."""
        slave = self.open_slave()
        self.slave(slave)
        self.turn()
        self.links[0].set_state(LinkState.CUT)
        self.send(20)
        self.turn(15)
        self.assert_prefix(slave)
        self.links[0].set_state(LinkState.OPEN)
        self.turn()
        self.assert_copied(slave)
        self.assertEqual(len(self.links), 1)

    def test_duplicated(self) -> None:
        """A second connection of the same slave changes nothing."""
        self.send(5)
        slave = self.open_slave()
        self.slave(slave)
        self.turn()
        double = Link(self.clock, "10.0.0.2:1", "10.0.0.1:10912")
        server = self.master.factory.buildProtocol(double.near.getHost())
        assert server is not None
        double.far.attach(server)
        double.near.write(encode_report(slave.commit_log_max))
        self.send(5)
        self.turn()
        self.assert_copied(slave)

    def test_garbage_to_slave(self) -> None:
        """One line, another connection, and the log as it was."""
        self.send(5)
        slave = self.open_slave()
        service = self.slave(slave)
        self.turn()
        before = self.log_of(slave)
        self.links[0].far.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.turn()
        self.assertEqual(self.log_of(slave), before)
        self.assertEqual(service.state, FollowState.WAITING)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.retry()
        self.send(1)
        self.turn()
        self.assert_copied(slave)


class RefusalTests(PairCase):
    """A slave that cannot follow says so, and what to do."""

    def refused(self, store: MessageStore) -> str:
        """Start a slave; return why it does not follow."""
        service = self.slave(store)
        self.turn()
        self.assertEqual(service.state, FollowState.REFUSED)
        assert service.refusal is not None
        self.service = service
        return service.refusal

    def copied(self) -> MessageStore:
        """Return the store of a slave that has all."""
        store = self.open_slave()
        service = self.slave(store)
        self.turn()
        self.assert_copied(store)
        service.stopService()
        return store

    def other_master(self, count: int, body: bytes) -> None:
        """Replace the master by one with other messages."""
        self.master.stopService()
        self.successResultOf(self.master_store.close())
        self.master_store = self.open(self.mktemp_directory())
        self.send(count, body)
        self.master = self.make_master(self.master_store)

    def mktemp_directory(self) -> str:
        """Make a directory."""
        path = self.mktemp()
        os.makedirs(path)
        return path

    def test_longer(self) -> None:
        """The master has restarted with less than the slave has."""
        self.send(5)
        store = self.copied()
        self.other_master(2, b"Hello")
        said = self.refused(store)
        self.assertIn("has messages that the master lacks", said)
        self.assertIn("make this broker the master", said)

    def test_other_messages(self) -> None:
        """As many bytes, but not the same."""
        self.send(5)
        store = self.copied()
        before = self.log_of(store)
        self.other_master(9, b"Other")
        self.assertIn("differs from the master's", self.refused(store))
        self.assertEqual(self.log_of(store), before)

    def test_behind_the_oldest_file(self) -> None:
        """What the slave needs next is deleted."""
        self.send(5)
        store = self.copied()
        self.send(20)
        self.turn(3)
        self.master_store._log.files.remove(0)
        said = self.refused(store)
        self.assertIn("the master has deleted everything before 1000", said)

    def test_compared_again(self) -> None:
        """When the right master is back, it is followed."""
        self.send(5)
        store = self.copied()
        right = self.master_store
        self.master.stopService()
        self.master_store = self.open(self.mktemp_directory())
        self.master = self.make_master(self.master_store)
        self.refused(store)
        self.master.stopService()
        self.master_store = right
        right.put(draft(), NOW)
        self.master = self.make_master(right)
        self.turn(RECHECK)
        self.turn()
        self.assertEqual(self.service.state, FollowState.FOLLOWING)
        self.assertIsNone(self.service.refusal)
        self.assert_copied(store)

    def test_files_of_another_size(self) -> None:
        """They could not be the same."""
        self.send(30)
        self.turn(3)
        self.master_store._log.files.remove(0)
        store = self.open_slave(commit_log_file_size=1700)
        self.assertIn("mappedFileSizeCommitLog", self.refused(store))


def cut_after(link: Link, end: MemoryTransport, count: int) -> None:
    """Break a connection when so many bytes have come to one end."""
    left = count

    def inspect(data: bytes) -> bytes:
        nonlocal left
        passed = data[:left]
        left -= len(passed)
        if left <= 0:
            link.near._clock.callLater(0, link.reset)
        return passed

    end.inspect = inspect
