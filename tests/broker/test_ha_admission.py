"""Tests of who may copy the commit log."""

from __future__ import annotations

import json
import struct

from twisted.internet.protocol import ClientFactory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.ha_admission import MAX_HOSTS, WINDOW, HaAdmission
from rocketmq_tw.testing import MemoryCluster

USERS = AccessSettings(
    is_authenticated=True,
    is_authorized=True,
    first_user=Secret("admin", "hidden-admin"),
    inner=Secret("inner", "hidden-inner"),
)


class AdmissionTests(SynchronousTestCase):
    """The addresses of slaves."""

    def setUp(self) -> None:
        """One network is listed."""
        self.clock = Clock()
        self.admission = HaAdmission(self.clock, "10.0.1.*, 10.0.2.7")

    def lets(self, peer: str) -> bool:
        """Whether a peer may copy."""
        return self.admission.why_not(peer) is None

    def test_listed(self) -> None:
        """Addresses in the setting may, others may not."""
        self.assertTrue(self.lets("10.0.1.9:4000"))
        self.assertTrue(self.lets("[::ffff:10.0.2.7]:4000"))
        for other in ("10.0.2.8:4000", "[::1]:4000", "UNIXAddress(b'x')", ""):
            self.assertFalse(self.lets(other), other)
        self.assertEqual(self.admission.refused, 4)

    def test_inner_user(self) -> None:
        """Where the inner user has asked, slaves may, for a while."""
        self.admission.inner_user_asked("10.0.3.1")
        self.admission.inner_user_asked("UNIXAddress(b'x')")
        self.clock.advance(WINDOW)
        self.assertTrue(self.lets("10.0.3.1:4000"))
        self.assertFalse(self.lets("10.0.3.2:4000"))
        self.clock.advance(1)
        self.assertFalse(self.lets("10.0.3.1:4000"))
        self.admission.inner_user_asked("10.0.3.1")
        self.assertTrue(self.lets("10.0.3.1:4000"))

    def test_nothing_listed(self) -> None:
        """Without a list nobody is in it."""
        admission = HaAdmission(self.clock, "")
        self.assertIsNotNone(admission.why_not("10.0.1.9:4000"))

    def test_trusted(self) -> None:
        """Addresses whose requests need no signature need none here."""
        self.admission.is_trusted = lambda address: str(address) == "10.0.4.1"
        self.assertTrue(self.lets("10.0.4.1:4000"))

    def test_limit(self) -> None:
        """So many addresses are remembered; the one that asked last is kept."""
        for number in range(MAX_HOSTS + 1):
            self.admission.inner_user_asked("10.9.9.9")
            self.admission.inner_user_asked(f"10.{number // 256 + 5}.{number % 256}.1")
        self.assertTrue(self.lets("10.9.9.9:1"))
        self.assertFalse(self.lets("10.5.0.1:1"))


class Stranger(Protocol):
    """Reports as a slave without messages, and counts what comes."""

    def __init__(self) -> None:
        self.received = 0
        self.is_lost = False

    def connectionMade(self) -> None:
        """Report that the log ends at 0."""
        assert self.transport is not None
        self.transport.write(struct.pack(">q", 0))

    def dataReceived(self, data: bytes) -> None:
        """Count bytes."""
        self.received += len(data)

    def connectionLost(self, reason: object = None) -> None:
        """Note it."""
        self.is_lost = True


class BrokerTests(SynchronousTestCase):
    """A master whose port somebody else finds."""

    def stranger(self, access: AccessSettings, host: str) -> Stranger:
        """Connect to the port for slaves from a host."""
        cluster = MemoryCluster(
            directory=self.mktemp(), broker_settings={"access": access}
        ).start()
        self.addCleanup(cluster.stop)
        stranger = Stranger()
        factory = ClientFactory()
        factory.buildProtocol = lambda addr: stranger  # type: ignore[method-assign]
        address = cluster.broker.service._replication.ha_address
        where, _, port = address.rpartition(":")
        cluster.network.reactor(host).connectTCP(where, int(port), factory)
        cluster.advance(10)
        return stranger

    def test_stranger(self) -> None:
        """With access control nothing is sent, and the connection is closed."""
        stranger = self.stranger(USERS, "10.0.9.9")
        self.assertEqual((stranger.received, stranger.is_lost), (0, True))

    def test_list(self) -> None:
        """A list counts without access control, too."""
        access = AccessSettings(ha_allowed="10.0.9.9")
        self.assertFalse(self.stranger(access, "10.0.9.9").is_lost)
        self.assertTrue(self.stranger(access, "10.0.9.8").is_lost)

    def test_white_list_of_the_inner_user(self) -> None:
        """Where that user needs no signature, its slaves may copy."""
        path = f"{self.mktemp()}.yml"
        account = {
            "accessKey": "inner-user",
            "secretKey": "hidden-inner",
            "whiteRemoteAddress": "10.0.9.9",
            "admin": True,
        }
        with open(path, "w") as file:
            json.dump({"accounts": [account]}, file)
        inner = Secret("inner-user", "hidden-inner")
        access = AccessSettings(acl_file=path, inner=inner)
        self.assertFalse(self.stranger(access, "10.0.9.9").is_lost)
        self.assertTrue(self.stranger(access, "10.0.9.8").is_lost)

    def test_without(self) -> None:
        """Without access control all may copy, as with Apache RocketMQ."""
        stranger = self.stranger(AccessSettings(), "10.0.9.9")
        self.assertFalse(stranger.is_lost)
        self.assertGreater(stranger.received, 0)
