"""What needs attention."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.results.cluster import (
    BrokerStatus,
    ClusterStatus,
    NameServerStatus,
)
from rocketmq_tw.console.api.problems import Severity, problems_of


class ProblemTests(SynchronousTestCase):
    """From the state of servers."""

    def problems(self, **fields: Any) -> list[tuple[str, str]]:
        """Return the problems of a cluster with one broker."""
        broker = BrokerStatus(
            cluster="c", name="a", id=0, address="10.0.0.1:10911", **fields
        )
        status = ClusterStatus((NameServerStatus("ns:9876", True, 1),), (broker,))
        return [(each.severity, each.sentence) for each in problems_of(status)]

    def test_none(self) -> None:
        """A broker that is well has none."""
        self.assertEqual(self.problems(disk_used=0.74), [])

    def test_of_broker(self) -> None:
        """Each is a sentence."""
        self.assertEqual(
            self.problems(disk_used=0.8),
            [("warning", "80% of the disk of its log are used")],
        )
        self.assertEqual(
            self.problems(is_writable=False, store_failure="disk full"),
            [("error", "its store takes no messages: disk full")],
        )
        self.assertEqual(
            self.problems(timer_behind=12.2, send_queue_wait=1.25, is_active=False),
            [
                ("warning", "timed messages are 12 s late"),
                ("warning", "sends wait 1.2 s to be handled"),
                ("warning", "it does not serve as a master yet"),
            ],
        )

    def test_slave(self) -> None:
        """One that follows its master is well; without one it says what that means."""
        master = BrokerStatus(cluster="c", name="a", id=0, address="10.0.0.1:10911")
        slave = BrokerStatus(
            cluster="c",
            name="a",
            id=1,
            address="10.0.0.2:10911",
            is_active=False,
            is_writable=False,
            store_failure="it is a slave",
        )
        servers = (NameServerStatus("ns:9876", True, 1),)
        self.assertEqual(problems_of(ClusterStatus(servers, (master, slave))), ())
        [found] = problems_of(ClusterStatus(servers, (slave,)))
        self.assertEqual(found.severity, Severity.WARNING)
        self.assertIn("the master of a is not registered: this slave", found.sentence)
        acting = replace(slave, is_active=True)
        [found] = problems_of(ClusterStatus(servers, (acting,)))
        self.assertIn("it acts for the master of a", found.sentence)
        old = replace(acting, version="V4_9_7")
        [found] = problems_of(ClusterStatus(servers, (old,)))
        self.assertIn("this slave delivers", found.sentence)
        away = ClusterStatus(servers, (slave,), {"10.0.0.1:10911": "no response"})
        self.assertEqual(len(problems_of(away)), 1)

    def test_of_servers(self) -> None:
        """Errors come first, whoever has them."""
        status = ClusterStatus(
            (NameServerStatus("ns:9876", False, 0, "refused"),),
            (BrokerStatus(cluster="c", name="a", id=0, address="b", disk_used=0.8),),
            {"10.0.0.9:10911": "no response"},
        )
        found = problems_of(status)
        self.assertEqual(
            [each.subject for each in found], ["ns:9876", "10.0.0.9:10911", "b"]
        )
        self.assertEqual(found[0].severity, Severity.ERROR)

    def test_empty(self) -> None:
        """A cluster without brokers does not look well."""
        status = ClusterStatus((NameServerStatus("ns:9876", True),), ())
        found = problems_of(status)
        self.assertEqual([each.sentence for each in found], ["no broker is registered"])
