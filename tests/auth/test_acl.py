"""Tests of ACL 1.0."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.acl import Acl, AclText, make_acl
from rocketmq_tw.auth.addresses import parse_address
from rocketmq_tw.auth.errors import AccessDenied, BadPolicy
from rocketmq_tw.model.access import Action, Need, ResourceKind

ACCOUNT = {
    "accessKey": "RocketMQ",
    "secretKey": 12345678,
    "whiteRemoteAddress": "192.168.0.*",
    "defaultTopicPerm": "DENY",
    "defaultGroupPerm": "SUB",
    "topicPerms": ["topicA=DENY", "topicB=PUB|SUB", "topicC=SUB"],
    "groupPerms": ["groupA=DENY", "groupB=PUB|SUB", "groupC=SUB"],
}
ADMIN = {"accessKey": "rocketmq2", "secretKey": "12345678", "admin": True}
TOPIC, GROUP = ResourceKind.TOPIC, ResourceKind.GROUP


def acl(*accounts: dict[str, Any], **more: Any) -> Acl:
    """Return what is made of a file."""
    text = msgspec.convert({"accounts": list(accounts), **more}, AclText)
    return make_acl([text], 10)


class AccountTests(SynchronousTestCase):
    """What an account may do."""

    def allows(self, kind: ResourceKind, name: str, *actions: Action) -> bool:
        """Whether the account may do one of these."""
        account = acl(ACCOUNT).accounts["RocketMQ"]
        try:
            account.check([Need(kind, name, actions)])
        except AccessDenied:
            return False
        return True

    def test_listed(self) -> None:
        """The permission of a topic or a group counts, if it is listed."""
        for name, pub, sub in (
            ("topicA", False, False),
            ("topicB", True, True),
            ("topicC", False, True),
            ("topicD", False, False),
        ):
            self.assertIs(self.allows(TOPIC, name, Action.PUB), pub, name)
            self.assertIs(self.allows(TOPIC, name, Action.SUB), sub, name)
            self.assertIs(self.allows(TOPIC, name, Action.SUB, Action.GET), sub, name)

    def test_groups(self) -> None:
        """Groups have a default of their own."""
        for name, sub in (("groupA", False), ("groupB", True), ("groupX", True)):
            self.assertIs(self.allows(GROUP, name, Action.SUB), sub, name)

    def test_administration(self) -> None:
        """Whatever neither sends nor receives needs an administrator."""
        for need in (
            (TOPIC, "topicB", Action.CREATE),
            (TOPIC, "*", Action.LIST),
            (ResourceKind.CLUSTER, "", Action.GET),
        ):
            self.assertFalse(self.allows(*need))
            admin = acl(ADMIN).accounts["rocketmq2"]
            admin.check([Need(need[0], need[1], need[2:])])

    def test_shows_no_secret(self) -> None:
        """No representation has the secret key."""
        found = acl(ACCOUNT)
        text = repr((found, msgspec.convert({"accounts": [ACCOUNT]}, AclText)))
        self.assertIn("RocketMQ", text)
        self.assertNotIn("12345678", text)


class FileTests(SynchronousTestCase):
    """What files may have."""

    def test_white(self) -> None:
        """Addresses of a white list need no signature: of all, or of one account."""
        found = acl(ACCOUNT, globalWhiteRemoteAddresses=["10.10.103.*", ""])
        for text, key, expected in (
            ("10.10.103.7", None, True),
            ("10.10.104.7", None, False),
            ("192.168.0.7", "RocketMQ", True),
            ("192.168.0.7", "other", False),
            ("192.168.0.7", None, False),
        ):
            address = parse_address(text)
            self.assertIs(found.is_white(address, key), expected, (text, key))
        self.assertFalse(found.is_white(None, "RocketMQ"))

    def test_bad(self) -> None:
        """What cannot be used is refused, and the account is named, not its secret."""
        for change in (
            {"accessKey": "short"},
            {"secretKey": "short"},
            {"topicPerms": ["topicA"]},
            {"topicPerms": ["topicA=ALL"]},
            {"whiteRemoteAddress": "10.0.0"},
        ):
            error = self.assertRaises(BadPolicy, acl, {**ACCOUNT, **change})
            self.assertNotIn("12345678", str(error))
        many = [{**ADMIN, "accessKey": f"account{i}"} for i in range(11)]
        self.assertIn("maxAccessUsers", str(self.assertRaises(BadPolicy, acl, *many)))
