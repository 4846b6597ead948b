"""Tests of the settings of access control at a name server."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.secrets import INNER, Secret
from rocketmq_tw.namesrv.access import NamesrvAccess, take_access
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.settings import BadSetting, to_values


class SettingsTests(SynchronousTestCase):
    """From the texts of a ``namesrv.conf``."""

    def test_default(self) -> None:
        """Nothing is checked, as at name servers of Apache RocketMQ."""
        self.assertEqual(take_access({}, "/etc/mq"), NamesrvAccess())

    def test_given(self) -> None:
        """They are taken from the others; the file is beside the settings'."""
        values = {
            "aclEnable": "true",
            "aclForClients": "true",
            INNER: '{"accessKey":"inner","secretKey":"hidden"}',
            "listenPort": "9876",
        }
        found = take_access(values, "/etc/mq")
        self.assertEqual(values, {"listenPort": "9876"})
        self.assertEqual(found.acl_file, "/etc/mq/plain_acl.yml")
        self.assertTrue(found.checks_clients)
        self.assertEqual(found.inner, Secret("inner", "hidden"))
        named = {"aclEnable": "true", "aclFile": "/acl/x.yml"}
        self.assertEqual(take_access(named, "").acl_file, "/acl/x.yml")

    def test_bad(self) -> None:
        """What would protect less than it seems is refused."""
        for values in (
            {"aclEnable": "yes"},
            {"aclForClients": "true"},
            {"authenticationEnabled": "true"},
            {"authorizationEnabled": "true"},
            {INNER: '{"accessKey":"inner","secretKey":""}'},
        ):
            self.assertRaises(BadSetting, take_access, dict(values), "")

    def test_shows_no_secret(self) -> None:
        """Administrators do not see it among the settings."""
        access = NamesrvAccess(inner=Secret("inner", "hidden"))
        self.assertNotIn("hidden", repr(access))
        self.assertNotIn("hidden", str(to_values(NamesrvConfig(access=access))))
