"""Sending to a broker that flushes first: when it responds, and what."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent
from tests.broker.send.test_batch import batched
from tests.store.disks import FaultyDisk


class SyncFlushCase(BrokerCase):
    """Has the broker's disk and its thread in hand."""

    settings = {"flush_disk_type": FlushDiskType.SYNC_FLUSH}

    def setUp(self) -> None:
        """Start a broker on them."""
        self.disk = FaultyDisk()
        super().setUp()
        self.threads.hold()

    def flush(self) -> None:
        """Let the reactor iteration end, and the disk do what was asked of it."""
        self.clock.advance(0)
        self.threads.run()

    def waits(self, request: Any) -> Deferred[Any]:
        """Send, and see that there is no response yet."""
        response = self.ask(request)
        self.assertNoResult(response)
        return response


class SendBackTests(SyncFlushCase):
    """When a message that was sent back is stored."""

    def setUp(self) -> None:
        """Send the message."""
        super().setUp()
        waiting = self.waits(sent())
        self.flush()
        self.successResultOf(waiting)

    def test_on_disk(self) -> None:
        """Once it is on disk for its next delivery: its consumer then forgets it."""
        waiting = self.waits(SendBack(group=GROUP, offset=0, delay_level=0))
        self.flush()
        self.assertEqual(int(self.successResultOf(waiting).status), 0)

    def test_too_slow(self) -> None:
        """Its consumer gets an error, and keeps it."""
        waiting = self.waits(SendBack(group=GROUP, offset=0, delay_level=0))
        self.clock.pump([0, 5.0])
        response = self.successResultOf(waiting)
        self.assertEqual(int(response.status), 1)
        self.assertIn("in time", response.remark)


class ResponseTests(SyncFlushCase):
    """When a send has its response."""

    def test_on_disk(self) -> None:
        """Once its message is, as ever."""
        waiting = [self.waits(sent(queue_id=queue_id)) for queue_id in (0, 1, 1)]
        self.flush()
        responses = [self.successResultOf(each) for each in waiting]
        self.assertEqual([int(each.status) for each in responses], [0, 0, 0])
        self.assertEqual(
            [(each.queue_id, each.queue_offset) for each in responses],
            [(0, 0), (1, 0), (1, 1)],
        )

    def test_batch(self) -> None:
        """A batch has one response, when all of it is on disk."""
        waiting = self.waits(batched(b"1", b"2", b"3"))
        self.flush()
        response = self.successResultOf(waiting)
        self.assertEqual((int(response.status), response.queue_offset), (0, 0))
        self.assertEqual(len(response.msg_id.split(",")), 3)

    def test_nobody_waits(self) -> None:
        """WAIT=false does not wait; the message is flushed as well."""
        for request in (
            sent(properties="WAIT\x01false\x02"),
            sent(properties="TAGS\x01TagA\x02WAIT\x01False"),
            batched(b"1", properties="WAIT\x01false\x02"),
        ):
            self.assertEqual(int(self.ask(request).status), 0)
        self.assertEqual(self.store.flushed, 0)
        self.flush()
        self.assertEqual(self.store.flushed, self.store.commit_log_max)

    def test_waits_by_default(self) -> None:
        """WAIT=true and messages without it wait."""
        self.waits(sent(properties="WAIT\x01true\x02"))
        self.waits(sent(properties="WAIT\x01TRUE\x02"))
        self.waits(sent())

    def test_too_slow(self) -> None:
        """After syncFlushTimeout the code is 10; the fields say where it went."""
        waiting = self.waits(sent(queue_id=2))
        self.clock.pump([0, 5.0])
        response = self.successResultOf(waiting)
        self.assertEqual((int(response.status), response.queue_id), (10, 2))
        self.assertEqual(response.msg_id[-16:], f"{0:016X}")
        self.assertIn(b'"code":10', response.to_json_frame(7))

    def test_held_pull(self) -> None:
        """A consumer that waits gets the message when it is on disk, not before."""
        self.tables.topics.create_on_send(TOPIC, "TBW102", 4, 0, "10.0.0.9:4000")
        pull = self.waits(pulled(sys_flag=SUBSCRIPTION | SUSPEND))
        self.waits(sent())
        self.clock.advance(0)
        self.assertNoResult(pull)
        self.threads.run()
        self.clock.advance(0)
        self.assertEqual(int(self.successResultOf(pull).status), 0)


class FailedTests(SyncFlushCase):
    """A disk that does not keep what it was given."""

    def test_refused(self) -> None:
        """Those who wait and those who come get code 14 and the reason."""
        waiting = [self.waits(sent()) for _ in range(3)]
        self.disk.fail_next("sync")
        self.flush()
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        for response in [*map(self.successResultOf, waiting), self.ask(sent())]:
            self.assertEqual(int(response.status), 14)
            self.assertIn("Input/output error", response.remark)
            self.assertIn("read-only", response.remark)

    def test_runtime_info(self) -> None:
        """The runtime info says so."""
        self.assertEqual(self.failure(), ("true", ""))
        waiting = self.waits(sent())
        self.disk.fail_next("sync")
        self.flush()
        self.successResultOf(waiting)
        writeable, why = self.failure()
        self.assertEqual(writeable, "false")
        self.assertIn("Input/output error", why)
        self.flushLoggedErrors(OSError)

    def failure(self) -> tuple[str, str]:
        """Ask for the runtime info."""
        table = KVTable.decode(self.ask(GetRuntimeInfo()).body).table
        return table["storeWriteable"], table["storeFailure"]
