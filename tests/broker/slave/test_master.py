"""Tests of what a slave knows of its master's address."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.slave.master import Master
from rocketmq_tw.wire.requests.registration import RegisterResponse
from tests.broker.slave.cases import PairCase

NS1, NS2 = "10.0.0.1:9876", "10.0.0.2:9876"
A, A_HA = "10.0.1.1:10911", "10.0.1.1:10912"
B, B_HA = "10.0.1.9:10911", "10.0.1.9:10912"
OWN = "10.0.1.2:10911"


def said(address: str | None, ha_address: str | None = None) -> RegisterResponse:
    """Make a response that names a master, or none."""
    return RegisterResponse(ha_server_addr=ha_address, master_addr=address)


class MasterTests(SynchronousTestCase):
    """What name servers say of the master."""

    def setUp(self) -> None:
        """Know nothing yet."""
        self.changes: list[tuple[str, str]] = []
        self.master = Master(OWN)
        self.watch()

    def watch(self) -> None:
        """Remember the addresses at each change."""
        master = self.master
        master.on_change.append(
            lambda: self.changes.append((master.address, master.ha_address))
        )

    def test_named(self) -> None:
        """The first response that names it counts; a repetition is no change."""
        self.master.registered(NS1, said(None))
        self.assertEqual(self.changes, [])
        self.master.registered(NS2, said(A, A_HA))
        self.master.registered(NS1, said(A, A_HA))
        self.assertEqual(self.changes, [(A, A_HA)])

    def test_moved(self) -> None:
        """What was said last counts."""
        self.master.registered(NS1, said(A, A_HA))
        self.master.registered(NS2, said(A, A_HA))
        self.master.registered(NS1, said(B, B_HA))
        self.assertEqual(self.changes, [(A, A_HA), (B, B_HA)])

    def test_gone(self) -> None:
        """It is unknown once no name server names it; its log may still be read."""
        self.master.registered(NS1, said(A, A_HA))
        self.master.registered(NS2, said(A, A_HA))
        self.master.registered(NS1, said(None))
        self.assertEqual(self.master.address, A)
        self.master.registered(NS2, said(None))
        self.assertEqual((self.master.address, self.master.ha_address), ("", A_HA))

    def test_lost_name_server(self) -> None:
        """It says nothing more; without any, what was known holds."""
        self.master.registered(NS1, said(A, A_HA))
        self.master.registered(NS2, said(None))
        self.assertEqual(self.master.address, A)
        self.master.registered(NS1, None)
        self.assertEqual(self.master.address, "")
        self.master.registered(NS2, said(A, A_HA))
        self.master.registered(NS2, None)
        self.assertEqual(self.master.address, A)

    def test_unusable(self) -> None:
        """The slave itself is not its master, and neither is what is no address."""
        for address in (OWN, "nonsense", "a:b", ":1"):
            self.master.registered(NS1, said(address, A_HA))
        self.assertEqual(self.changes, [])
        self.master.registered(NS1, said(A, "nonsense"))
        self.assertEqual(self.changes, [(A, "")])


class SearchTests(PairCase):
    """A slave that does not know its master asks often."""

    def test_master_comes_later(self) -> None:
        """It is known 3 s after it registered, not after half a minute."""
        self.master.stop()
        self.slave.stop()
        self.slave.start()
        self.cluster.advance(20)
        self.master.start()
        self.cluster.create_topic("late")
        self.cluster.advance(3.2)
        self.assertIn("late", self.topics(self.slave).topic_config_table)
