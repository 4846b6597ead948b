"""``rocketmq-admin nameserver``."""

from __future__ import annotations

from tests.admin.cli.cases import CommandCase


class NameServerTests(CommandCase):
    """Settings and keys."""

    name_servers = 2

    def test_config(self) -> None:
        """Those of all are printed, and changed."""
        text = self.output("nameserver", "config", "listenPort")
        self.assertEqual(text.count("listenPort  9876"), 2)
        self.output("nameserver", "set", "orderMessageEnable=true", "--yes")

    def test_keys(self) -> None:
        """A key is set, listed and deleted."""
        self.error("nameserver", "keys", "space")
        self.output("nameserver", "put", "space", "k", "v")
        self.assertEqual(self.output("nameserver", "keys", "space").count("k  v"), 2)
        self.output("nameserver", "delete", "space", "k", "--yes")
