"""The administrator's client."""

from __future__ import annotations

from rocketmq_tw.admin import AdminClient
from rocketmq_tw.client.errors import NameServerUnavailable, ValidationError
from tests.admin.cases import AdminCase


class ClientTests(AdminCase):
    """Its life."""

    def test_with(self) -> None:
        """``async with`` waits for a name server, and closes the connections."""

        async def count() -> int:
            reactor = self.cluster.network.reactor("10.0.4.2")
            names = self.cluster.name_server_addresses
            async with AdminClient(reactor, names) as admin:
                return len(await admin.cluster.brokers())

        self.assertEqual(self.run_admin(count()), 2)
        self.assertEqual(self.cluster.network.links_between("10.0.4.2"), [])

    def test_no_name_server(self) -> None:
        """Starting fails if none responds."""
        self.cluster.name_servers[0].kill()
        self.failure(self.admin.start(), NameServerUnavailable)

    def test_of_a_client(self) -> None:
        """One of a client leaves its connections open."""
        client = self.cluster.client()
        admin = AdminClient.of(client)
        self.assertEqual(len(self.run_admin(admin.cluster.brokers())), 2)
        self.run_admin(admin.stop())
        self.run_admin(client.route("SELF_TEST_TOPIC"))

    def test_no_group(self) -> None:
        """It registers with no broker, and its name servers have to be addresses."""
        self.run_admin(self.admin.cluster.status())
        self.cluster.advance(60)
        self.assertEqual(self.run_admin(self.admin.groups.list()), ())
        self.assertRaises(ValidationError, AdminClient, None, "nothing")
