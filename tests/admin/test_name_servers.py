"""Name servers, all of them."""

from __future__ import annotations

from rocketmq_tw.admin import NotFound, NothingResponded, RefusedByAll
from rocketmq_tw.wire.requests.kvconfig import DeleteKVConfig, PutKVConfig
from tests.admin.cases import AdminCase


class NameServerTests(AdminCase):
    """Settings and keys."""

    brokers = 1
    name_servers = 2

    def test_config(self) -> None:
        """The settings of each are there."""
        settings = self.run_admin(self.admin.name_servers.config())
        self.assertEqual(list(settings.values), self.cluster.name_server_addresses)
        self.assertIn("listenPort", settings.values["10.0.0.1:9876"])

    def test_set_config(self) -> None:
        """A change reaches all."""
        done = self.run_admin(
            self.admin.name_servers.set_config({"orderMessageEnable": "true"})
        )
        self.assertEqual(len(done.done), 2)
        settings = self.run_admin(self.admin.name_servers.config())
        values = {each["orderMessageEnable"] for each in settings.values.values()}
        self.assertEqual(values, {"true"})

    def test_set_unknown(self) -> None:
        """Nothing is changed if no name server has one of them."""
        change = self.admin.name_servers.set_config
        values = {"orderMessageEnable": "true", "orderMessageEnabled": "true"}
        text = self.failure(change(values), NotFound)
        self.assertIn("Did you mean orderMessageEnable?", text)
        settings = self.run_admin(self.admin.name_servers.config())
        seen = {each["orderMessageEnable"] for each in settings.values.values()}
        self.assertEqual(seen, {"false"})
        text = self.failure(change({"listenPort": "1"}), RefusedByAll)
        self.assertIn("listenPort cannot be changed while running", text)

    def test_keys(self) -> None:
        """Keys are put, listed and deleted at all."""
        servers = self.admin.name_servers
        self.failure(servers.keys("space"), NotFound)
        self.assertEqual(
            len(self.run_admin(servers.put_key("space", "k", "v")).done), 2
        )
        keys = self.run_admin(servers.keys("space"))
        self.assertEqual(list(keys.values.values()), [{"k": "v"}, {"k": "v"}])
        self.run_admin(servers.delete_key("space", "k"))

    def test_none(self) -> None:
        """Without any the error lists them."""
        for node in self.cluster.name_servers:
            node.kill()
        text = self.failure(self.admin.name_servers.config(), NothingResponded)
        self.assertIn("10.0.0.2:9876", text)

    def test_keys_refused(self) -> None:
        """If no name server does it, that is an error."""
        servers = self.admin.name_servers
        for node in self.cluster.name_servers:
            node.traffic.refuse(PutKVConfig, 1)
            node.traffic.refuse(DeleteKVConfig, 1)
        self.failure(servers.put_key("space", "k", "v"), RefusedByAll)
        self.failure(servers.delete_key("space", "k"), RefusedByAll)
