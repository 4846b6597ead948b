"""Tests of :mod:`rocketmq_tw.namesrv.config`."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.namesrv.config import CHANGEABLE, FORBIDDEN, NamesrvConfig


class ConfigTests(SynchronousTestCase):
    """The settings of a name server."""

    def test_endpoint(self) -> None:
        """A port on all interfaces or one, or an endpoint string in place of both."""
        for config, endpoint in (
            (NamesrvConfig(), "tcp:9876"),
            (NamesrvConfig(listen_port=0), "tcp:0"),
            (NamesrvConfig(bind_address="10.0.0.1"), "tcp:9876:interface=10.0.0.1"),
            (NamesrvConfig(bind_address="[::1]"), r"tcp:9876:interface=\:\:1"),
            (NamesrvConfig(listen="unix:/run/mq", bind_address="x"), "unix:/run/mq"),
        ):
            self.assertEqual(config.endpoint, endpoint)
        config = NamesrvConfig(listen="nine")
        self.assertRaises(ValueError, getattr, config, "endpoint")

    def test_changeable(self) -> None:
        """What may change while it runs is declared, and says nothing of paths."""
        keys = {field.encode_name for field in msgspec.structs.fields(NamesrvConfig)}
        self.assertLessEqual(CHANGEABLE, keys)
        self.assertEqual(CHANGEABLE & FORBIDDEN, set())
        self.assertEqual({k for k in CHANGEABLE if "Path" in k or "listen" in k}, set())
