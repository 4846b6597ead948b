"""Groups that continue elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from rocketmq_tw.admin import InvalidArgument, NotFound
from rocketmq_tw.admin.calls import NO_MASTER
from rocketmq_tw.client import EARLIEST
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.consumer import ResetOffsets
from tests.admin.cases import AdminCase


class ResetTests(AdminCase):
    """Plans, and what becomes of them."""

    brokers = 1

    def setUp(self) -> None:
        """Let a group consume six messages, one a minute, and leave."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        for number in range(6):
            self.send("orders", b"%d" % number)
            self.cluster.advance(60)
        self.seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(self.seen) == 6)
        self.cluster.advance(10)

    def leave(self) -> None:
        """Stop the group's consumer."""
        self.cluster.result_of(self.cluster.clients[-1].stop())

    def committed(self) -> list[int]:
        """Return where the group is."""
        lag = self.run_admin(self.admin.groups.lag("billing", "orders"))
        return [queue.committed for queue in lag.queues]

    def test_plan(self) -> None:
        """A plan says what would be read again, and changes nothing."""
        plan = self.run_admin(
            self.admin.groups.plan_reset("billing", "orders", "earliest")
        )
        [queue] = plan.queues
        self.assertEqual((queue.now, queue.target, queue.again), (6, 0, 6))
        self.assertEqual((plan.again, plan.skipped, plan.online), (6, 0, 1))
        self.assertEqual(self.committed(), [6])

    def test_times(self) -> None:
        """A time, and so long ago, are where messages were stored."""
        plan = self.run_admin(
            self.admin.groups.plan_reset(
                "billing", "orders", timedelta(minutes=2, seconds=30)
            )
        )
        self.assertEqual([queue.target for queue in plan.queues], [4])
        when = datetime.fromtimestamp(1_700_000_000 + 150, UTC)
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", when))
        self.assertEqual([queue.target for queue in plan.queues], [3])

    def test_offsets(self) -> None:
        """An offset outside of the queue becomes one of its ends."""
        for wanted, target in ((2, 2), (99, 6)):
            plan = self.run_admin(
                self.admin.groups.plan_reset("billing", "orders", wanted)
            )
            self.assertEqual([queue.target for queue in plan.queues], [target])

    def test_wrong(self) -> None:
        """Anything else is refused, and so is what does not exist."""
        plan = self.admin.groups.plan_reset
        self.failure(plan("billing", "orders", "yesterday"), InvalidArgument)
        self.failure(plan("billing", "orders", -1), InvalidArgument)
        self.failure(plan("nobody", "orders", "latest"), NotFound)
        self.failure(plan("billing", "nothing", "latest"), NotFound)

    def test_online(self) -> None:
        """A connected consumer reads again."""
        self.seen.clear()
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 4))
        done = self.run_admin(self.admin.groups.reset(plan))
        self.assertEqual((len(done.queues), done.failed), (1, {}))
        self.cluster.wait_until(lambda: len(self.seen) == 2)

    def test_offline(self) -> None:
        """Without consumers the offset is there at once."""
        self.leave()
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 1))
        self.run_admin(self.admin.groups.reset(plan))
        self.assertEqual(self.committed(), [1])

    def test_broker_that_does_not_reset(self) -> None:
        """Its offset is committed if nobody is connected."""
        self.leave()
        self.cluster.broker.traffic.refuse(ResetOffsets, 206)
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 2))
        done = self.run_admin(self.admin.groups.reset(plan))
        self.assertEqual(done.failed, {})
        self.assertEqual(self.committed(), [2])

    def test_refused(self) -> None:
        """A queue that is not reset is reported."""
        self.cluster.broker.traffic.refuse(ResetOffsets, 1)
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 2))
        done = self.run_admin(self.admin.groups.reset(plan))
        self.assertEqual((done.queues, list(done.failed)), ((), ["broker-a/0"]))

    def test_old_broker(self) -> None:
        """One before 5.0 would ignore the offset of an online group."""
        table = KVTable({"brokerVersionDesc": "V4_9_4"}).encode()
        self.cluster.broker.traffic.respond(GetRuntimeInfo, Response(body=table))
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 2))
        done = self.run_admin(self.admin.groups.reset(plan))
        self.assertIn("stop them first", done.failed["broker-a/0"])

    def test_old_broker_and_time(self) -> None:
        """One before 5.0 lets the online group go to a time, or to an end."""
        table = KVTable({"brokerVersionDesc": "V4_9_7"}).encode()
        traffic = self.cluster.broker.traffic
        for to, timestamp in (("earliest", 0), ("latest", -1), (timedelta(hours=2), 1)):
            traffic.respond(GetRuntimeInfo, Response(body=table))
            self.seen.clear()
            plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", to))
            done = self.run_admin(self.admin.groups.reset(plan))
            self.assertEqual(done.failed, {})
            self.assertEqual([q.target for q in done.queues], [plan.queues[0].target])
            request = traffic.requests(ResetOffsets)[-1]
            self.assertEqual((request.queue_id, request.offset), (-1, None))
            self.assertEqual(min(request.timestamp, 1), timestamp)
            self.cluster.wait_until(lambda p=plan: len(self.seen) == p.again)

    def test_old_broker_without_consumers(self) -> None:
        """Its offsets are committed if the group is only connected to others."""
        table = KVTable({"brokerVersionDesc": "V4_9_7"}).encode()
        self.cluster.broker.traffic.respond(GetRuntimeInfo, Response(body=table))
        plan = self.run_admin(
            self.admin.groups.plan_reset("billing", "orders", "earliest")
        )
        self.leave()
        self.cluster.broker.traffic.refuse(ResetOffsets, 206)
        done = self.run_admin(self.admin.groups.reset(plan))
        self.assertEqual(done.failed, {})
        self.assertEqual(self.committed(), [0])

    def test_other_address(self) -> None:
        """A plan that came from elsewhere leads to no other server than the master."""
        plan = self.run_admin(self.admin.groups.plan_reset("billing", "orders", 2))
        [queue] = plan.queues
        for broker, address in (
            ("broker-a", "10.9.9.9:22"),
            ("broker-b", queue.address),
            ("broker-a", "unix:/run/docker.sock"),
        ):
            moved = replace(queue, broker=broker, address=address)
            elsewhere = replace(plan, queues=(moved,))
            done = self.run_admin(self.admin.groups.reset(elsewhere))
            self.assertEqual(done.queues, ())
            self.assertEqual(
                done.failed[f"{broker}/0"],
                f"no master {broker} of the topic is at {address} now; plan the reset"
                " again",
            )
        self.assertEqual(self.committed(), [6])

    def test_too_long_ago(self) -> None:
        """A time before there were any is refused."""
        plan = self.admin.groups.plan_reset
        long_ago = timedelta(days=365 * 9999)
        self.assertIn(
            "is no time", self.failure(plan("g", "T", long_ago), InvalidArgument)
        )


class MasterAwayTests(AdminCase):
    """A topic at two brokers, one of which has only a slave now."""

    on_disk = True

    def test_plan(self) -> None:
        """The plan says whose queues it does not have."""
        self.cluster.create_topic("orders", 1)
        self.consume("billing", "orders")
        self.cluster.advance(10)
        self.leave_to_slave("broker-b")
        plan = self.run_admin(
            self.admin.groups.plan_reset("billing", "orders", "earliest")
        )
        self.assertEqual([queue.broker for queue in plan.queues], ["broker-a"])
        self.assertEqual(plan.failed, {"broker-b": NO_MASTER})
