"""Tests of the settings of access control."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.broker.access.settings import AccessSettings, take_access
from rocketmq_tw.settings import BadSetting


class SettingsTests(SynchronousTestCase):
    """From the texts of a ``broker.conf``."""

    def test_default(self) -> None:
        """Nothing is checked but where administration comes from."""
        found = take_access({}, "/etc/mq")
        self.assertEqual(found, AccessSettings())
        self.assertFalse(found.is_on)

    def test_users(self) -> None:
        """The settings of ACL 2.0, which are taken from the others."""
        values = {
            "authenticationEnabled": "true",
            "authorizationEnabled": "true",
            "authenticationProvider": "org.apache.Something",
            "initAuthenticationUser": '{"username":"admin","password":"hidden"}',
            "innerClientAuthenticationCredentials": (
                '{"accessKey":"inner","secretKey":"hidden"}'
            ),
            "authenticationWhitelist": "28, 26",
            "other": "kept",
        }
        found = take_access(values, "")
        self.assertEqual(values, {"other": "kept"})
        self.assertTrue(found.is_on)
        self.assertEqual(found.first_user, Secret("admin", "hidden"))
        self.assertEqual(found.inner, Secret("inner", "hidden"))
        self.assertEqual(found.unsigned, {28, 26})
        self.assertNotIn("hidden", repr(found))

    def test_plain(self) -> None:
        """The file of ACL 1.0 is beside the broker's, or where a setting says."""
        found = take_access({"aclEnable": "true"}, "/etc/mq")
        self.assertEqual(found.acl_file, "/etc/mq/plain_acl.yml")
        named = {"aclEnable": "true", "aclFile": "/acl/x.yml"}
        self.assertEqual(take_access(named, "/etc/mq").acl_file, "/acl/x.yml")

    def test_migration(self) -> None:
        """The accounts that become users are those that would be in force."""
        values = {"authenticationEnabled": "true", "migrateAuthFromV1Enabled": "true"}
        found = take_access(values, "/etc/mq")
        self.assertEqual(found.migrated_file, "/etc/mq/plain_acl.yml")
        self.assertIsNone(found.acl_file)

    def test_slaves(self) -> None:
        """Not everybody may copy the log with access control, or with a list."""
        inner = '{"accessKey":"inner","secretKey":"hidden"}'
        for values, guards in (
            ({}, False),
            ({"innerClientAuthenticationCredentials": inner}, False),
            ({"aclEnable": "true"}, False),
            (
                {"aclEnable": "true", "innerClientAuthenticationCredentials": inner},
                True,
            ),
            ({"haAllowedAddresses": "10.0.0.*"}, True),
        ):
            self.assertIs(take_access(dict(values), "").guards_slaves, guards)

    def test_bad(self) -> None:
        """What would protect less than it seems is refused, and shows no secret."""
        secret = {"initAuthenticationUser": '{"username":"admin","passwort":"hidden"}'}
        for values in (
            {"aclEnable": "yes"},
            {"authorizationEnabled": "true"},
            {"aclEnable": "true", "authenticationEnabled": "true"},
            {"migrateAuthFromV1Enabled": "true"},
            {"authenticationWhitelist": "GetRoute"},
            {"haAllowedAddresses": "10.0.0"},
            secret,
            {"initAuthenticationUser": "hidden"},
        ):
            error = self.assertRaises(BadSetting, take_access, dict(values), "")
            self.assertNotIn("hidden", str(error))
