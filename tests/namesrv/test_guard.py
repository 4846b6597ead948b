"""Tests of a name server with access control."""

from __future__ import annotations

import os
from tempfile import mkdtemp
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import Credentials, Message
from rocketmq_tw.access.secrets import Secret, sign_as
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.client.errors import NameServerUnavailable
from rocketmq_tw.namesrv.access import NamesrvAccess
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.guard import LOOK_PERIOD, NOT_OF_CLIENTS
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.pool import ConnectionPool
from rocketmq_tw.testing import MemoryCluster, MemoryNetwork
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.kvconfig import GetNamesrvConfig, PutKVConfig
from rocketmq_tw.wire.requests.route import GetRoute
from tests.broker.access import samples

from .fixtures import registration

FILE = """
globalWhiteRemoteAddresses: [10.0.8.*]
accounts:
  - {accessKey: brokers, secretKey: hidden-1, admin: true}
  - {accessKey: clients, secretKey: hidden-2, topicPerms: [TopicTest=PUB]}
"""
BROKERS = Secret("brokers", "hidden-1")
CLIENTS = Secret("clients", "hidden-2")
WRONG = Secret("brokers", "hidden-3")


class GuardCase(SynchronousTestCase):
    """
    A name server with accounts, and a broker that signs.

    :cvar checks_clients: whether requests of clients need a signature.
    """

    checks_clients = False

    def setUp(self) -> None:
        """Start both."""
        self.folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {self.folder}")
        self.path = os.path.join(self.folder, "plain_acl.yml")
        self.write(FILE)
        access = NamesrvAccess(
            acl_file=self.path, checks_clients=self.checks_clients, inner=BROKERS
        )
        self.cluster = MemoryCluster(
            name_server_settings={"access": access},
            broker_settings={
                "access": AccessSettings(inner=BROKERS, remote_administration=True)
            },
        )
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        (self.node,) = self.cluster.name_servers

    def write(self, text: str) -> None:
        """Replace the file."""
        with open(self.path, "w") as file:
            file.write(text)

    def status(
        self, who: Secret | None, request: Request[Any], host: str = "10.0.7.1"
    ) -> int:
        """Ask as somebody; return the code of the response."""
        reactor = self.cluster.network.reactor(host)
        pool = ConnectionPool(reactor, sign=sign_as(who))
        try:
            self.cluster.result_of(pool.call(self.node.address, request))
        except BrokerError as error:
            self.remark = error.remark
            return error.code
        finally:
            self.cluster.result_of(pool.close_all())
        return 0


class GuardTests(GuardCase):
    """Registrations and administration need a signature, routes do not."""

    def test_broker(self) -> None:
        """A broker that signs is registered, and clients find it."""
        self.cluster.create_topic("TopicTest")
        self.assertIn("TopicTest", self.node.service.table.queues)
        self.assertEqual(self.status(None, GetRoute("TopicTest")), 0)

    def test_strangers(self) -> None:
        """Nobody else registers, removes or changes anything."""
        forged = registration(
            "A", "B", broker_name="broker-x", broker_addr="10.0.9.1:1"
        )
        put = PutKVConfig(namespace="N", key="k", value="v")
        for who in (None, WRONG, CLIENTS, Secret("nobody", "hidden-4")):
            for request in (forged, put, GetNamesrvConfig()):
                self.assertEqual(self.status(who, request), 16)
                self.assertNotIn("hidden", self.remark)
        self.assertNotIn("A", self.node.service.table.queues)
        for request in (forged, put, GetNamesrvConfig()):
            self.assertEqual(self.status(BROKERS, request), 0)

    def test_every_request(self) -> None:
        """No declared request but those of clients is handled for a stranger."""
        for code, kind in samples.declared().items():
            known = self.node.service.factory.router.find(code) is not None
            if known and code in NOT_OF_CLIENTS:
                self.assertEqual(self.status(None, samples.sample(kind)), 16, kind)
        self.assertIn(RequestCode.REGISTER_BROKER, NOT_OF_CLIENTS)
        self.assertIn(RequestCode.UPDATE_NAMESRV_CONFIG, NOT_OF_CLIENTS)
        self.assertNotIn(RequestCode.GET_ROUTEINFO_BY_TOPIC, NOT_OF_CLIENTS)

    def test_white_list(self) -> None:
        """Brokers that cannot sign, as those of 4.9, are let in by their address."""
        own = registration("A", "B", broker_name="b", broker_addr="10.0.8.1:1")
        self.assertEqual(self.status(None, own, "10.0.8.1"), 0)

    def test_reload(self) -> None:
        """A change of the file counts soon."""
        self.write(FILE.replace("hidden-1", "hidden-3"))
        self.cluster.advance(LOOK_PERIOD)
        self.assertEqual(self.status(BROKERS, GetNamesrvConfig()), 16)
        self.assertEqual(self.status(WRONG, GetNamesrvConfig()), 0)

    def test_log(self) -> None:
        """A refusal is counted, and a line without secrets."""
        lines: list[Any] = []
        globalLogPublisher.addObserver(lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, lines.append)
        for _ in range(3):
            self.status(WRONG, GetNamesrvConfig())
        text = [line for line in lines if "refused {request}" in str(line)]
        self.assertEqual(len(text), 1)
        self.assertNotIn("hidden", str(lines))
        guard = self.node.service._guard
        assert guard is not None
        self.assertEqual(guard.gauges()["accessRefused"](), 3)


class ClientTests(GuardCase):
    """A setting has the requests of clients checked, too."""

    checks_clients = True

    def test_routes(self) -> None:
        """They need permission for the topic."""
        self.cluster.create_topic("TopicTest")
        self.cluster.create_topic("Other")
        for who, topic, code in (
            (None, "TopicTest", 16),
            (CLIENTS, "TopicTest", 0),
            (CLIENTS, "Other", 16),
            (BROKERS, "Other", 0),
            # Where topics can be created is no secret to clients.
            (CLIENTS, "TBW102", 0),
            (None, "TBW102", 16),
        ):
            self.assertEqual(self.status(who, GetRoute(topic)), code)

    def test_client(self) -> None:
        """Our client signs what it asks name servers; one without a user does not."""
        self.cluster.create_topic("TopicTest")
        who = Credentials("clients", "hidden-2")
        client = self.cluster.make_client(credentials=who)
        self.cluster.result_of(client.start())
        sent = client.producer("producers").send(Message("TopicTest", b"hello"))
        self.assertEqual(self.cluster.result_of(sent).status.name, "SEND_OK")
        started = self.cluster.make_client().start()
        self.cluster.advance(10)
        error = self.failureResultOf(started, NameServerUnavailable).value
        self.assertIn("No accessKey", str(error))


class SecretTests(SynchronousTestCase):
    """What the name server asks brokers."""

    def test_notices_are_signed(self) -> None:
        """Its notices are signed: brokers with access control want that."""
        config = NamesrvConfig(access=NamesrvAccess(inner=BROKERS))
        service = NamesrvService(config, MemoryNetwork(Clock()).reactor("10.0.0.1"))
        sign = service._notices._pool._sign
        self.assertIn("brokers", repr(sign))


class StartTests(SynchronousTestCase):
    """A name server whose file cannot be used."""

    def test_no_file(self) -> None:
        """It does not start, and the sentence names the file."""
        config = NamesrvConfig(
            kv_config_path=os.path.join(mkdtemp(), "kv.json"),
            access=NamesrvAccess(acl_file="/nowhere/plain_acl.yml"),
        )
        service = NamesrvService(config, MemoryNetwork(Clock()).reactor("10.0.0.1"))
        service.startService()
        error = self.failureResultOf(service.started, BadPolicy).value
        self.assertIn("/nowhere/plain_acl.yml", str(error))
