"""Tests of rocketmq_tw.broker.pop.journal."""

from __future__ import annotations

from rocketmq_tw.broker.pop import journal
from rocketmq_tw.broker.pop.journal import REVIVE_GROUP
from rocketmq_tw.model.message import TIMER_DELIVER_MS
from rocketmq_tw.store.errors import DiskFull
from rocketmq_tw.wire.bodies.revive import CheckPoint
from tests.broker.cases import GROUP, TOPIC
from tests.broker.pop.cases import PopCase, acknowledged, changed, popped
from tests.store.disks import FaultyDisk

LOG = "rmq_sys_REVIVE_LOG_DefaultCluster"


class JournalTests(PopCase):
    """The revive log, and what is in flight after a kill."""

    def test_records(self) -> None:
        """A pop makes a check point, an acknowledgement a record behind it."""
        self.fill(b"a", b"b")
        receipt = self.receipts()[b"b"]
        self.now(acknowledged(receipt))
        queue_id = receipt.revive_queue
        one, two = self.messages(LOG, queue_id)
        self.assertEqual((one.tag, two.tag), ("ck", "ack"))
        record = CheckPoint.decode(one.body)
        self.assertEqual((record.topic, record.group), (TOPIC, GROUP))
        self.assertEqual(
            (list(record.offsets), record.broker_name), ([0, 1], "broker-a")
        )
        self.assertEqual(record.revive_time_ms, receipt.pop_time_ms + 10_000)
        written = int(self.clock.wall_seconds() * 1000)
        self.assertEqual(one.properties[TIMER_DELIVER_MS], str(written))

    def test_kill(self) -> None:
        """Nothing that was acknowledged comes again, the rest when it is due."""
        self.fill(b"a", b"b", b"c")
        receipts = self.receipts()
        self.now(acknowledged(receipts[b"a"]))
        self.now(changed(receipts[b"c"], 30_000))
        self.kill()
        self.assertEqual(self.receipts(), {})
        self.now(acknowledged(receipts[b"b"]))
        self.kill()
        self.pass_time(20)
        self.assertEqual(self.receipts(), {})
        self.pass_time(10.3)
        self.assertEqual(set(self.receipts()), {b"c"})

    def test_offsets_are_not_on_disk_first(self) -> None:
        """
        A power cut that loses the check point loses the group's offset, too.

        Otherwise the messages would come neither from the topic nor from the log.
        """
        before_write = self.tables.offsets.before_write
        self.assertIsNone(before_write())
        self.fill(b"a")
        self.assertIsNone(before_write())
        self.threads.hold()
        self.receipts()
        waiting = before_write()
        assert waiting is not None
        self.assertNoResult(waiting)
        self.threads.release()
        self.successResultOf(waiting)
        self.assertIsNone(before_write())

    def test_kill_after_revival(self) -> None:
        """A copy that was made is not made once more."""
        self.fill(b"a")
        self.receipts()
        self.pass_time(10.3)
        self.now(acknowledged(self.receipts()[b"a"]))
        self.kill()
        self.pass_time(60)
        self.assertEqual(len(self.retries()), 1)
        self.assertEqual(self.receipts(), {})

    def test_done_is_committed(self) -> None:
        """The log is read from the oldest check point on, at the next start."""
        for _ in range(3):
            self.fill(b"a")
            for receipt in self.receipts().values():
                self.now(acknowledged(receipt))
        self.restart()
        for queue_id in range(8):
            end = self.store.max_offset(LOG, queue_id)
            done = self.tables.offsets.query(REVIVE_GROUP, LOG, queue_id)
            self.assertEqual(done, end - 1 if end else None)

    def test_commits_lag(self) -> None:
        """What is done is committed at the next call: the table has the pop's then."""
        self.fill(b"a")
        receipt = self.receipts()[b"a"]
        self.now(acknowledged(receipt))
        offsets, queue_id = self.tables.offsets, receipt.revive_queue
        self.pop.journal.commit()
        self.assertIsNone(offsets.query(REVIVE_GROUP, LOG, queue_id))
        self.pop.journal.commit()
        self.assertEqual(offsets.query(REVIVE_GROUP, LOG, queue_id), 1)

    def test_old_check_points_are_written_again(self) -> None:
        """One that is far behind does not make the next start long."""
        self.patch(journal, "FAR_BEHIND", 2)
        self.fill(b"a", b"b")
        receipts = self.receipts(invisible_time=3_600_000)
        self.now(acknowledged(receipts[b"a"]))
        queue_id = receipts[b"a"].revive_queue
        for _ in range(8 * 8):
            self.fill(b"x")
            for receipt in self.receipts().values():
                self.now(acknowledged(receipt))
        for _ in self.pop.journal.write_old_again():
            pass
        first = self.pop.journal.in_flight.first_position(queue_id)
        self.assertEqual(first, self.store.max_offset(LOG, queue_id) - 2)
        self.pop.journal.commit_now()
        self.tables.offsets.save()
        self.kill()
        self.assertEqual(self.receipts(), {})
        self.pass_time(3600.3)
        self.assertEqual(set(self.receipts()), {b"b"})

    def test_malformed_records_are_left_out(self) -> None:
        """What cannot be read is logged; the rest counts."""
        self.fill(b"a")
        queue_id = self.receipts()[b"a"].revive_queue
        self.pop.journal._put("ck", queue_id, b"{")
        self.pop.journal._put("ack", queue_id, b"[]")
        self.kill()
        self.assertEqual(len(self.pop.journal.in_flight), 1)

    def test_nothing_is_handed_out_that_is_not_written(self) -> None:
        """On a full disk a pop fails, and the messages are there for the next one."""
        self.fill(b"a")

        def full(*_: object) -> None:
            raise DiskFull("it is full")

        put, self.store.put = self.store.put, full
        response = self.now(popped())
        self.assertEqual(response.status, 14)
        self.assertEqual(len(self.pop.journal.in_flight), 0)
        self.store.put = put
        self.assertEqual(set(self.receipts()), {b"a"})


class FlushTests(PopCase):
    """A disk whose next fsync fails."""

    def setUp(self) -> None:
        """Let messages be popped before."""
        self.disk = FaultyDisk()
        super().setUp()
        self.fill(b"a")
        self.receipts()

    def test_flush_that_failed(self) -> None:
        """The offsets are not written, and their next write waits again."""
        self.disk.fail_next("sync")
        before_write = self.tables.offsets.before_write
        for _ in range(2):
            waiting = before_write()
            assert waiting is not None
            self.failureResultOf(waiting)
        self.flushLoggedErrors(OSError)
