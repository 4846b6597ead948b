"""Tests of changes of a file of ACL 1.0."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.plain_document import (
    AccountChange,
    Version,
    advance,
    put_account,
    remove_account,
    replace_white,
    version_of,
)


class DocumentTests(SynchronousTestCase):
    """What changes, and what stays."""

    def setUp(self) -> None:
        """A file with an account, and something that is not known here."""
        self.account: dict[str, Any] = {
            "accessKey": 12345678,
            "secretKey": "hidden-1",
            "admin": True,
            "topicPerms": ["T=PUB"],
            "comment": "mine",
        }
        self.document: dict[str, Any] = {"accounts": [self.account], "more": 7}

    def test_change(self) -> None:
        """Absent fields keep what they are; the number of a key is its text."""
        change = AccountChange("12345678", group_perms=["G=SUB"])
        put_account(self.document, change)
        expected = {
            "accessKey": "12345678",
            "secretKey": "hidden-1",
            "admin": False,
            "topicPerms": ["T=PUB"],
            "groupPerms": ["G=SUB"],
            "comment": "mine",
        }
        self.assertEqual(self.document, {"accounts": [expected], "more": 7})

    def test_add(self) -> None:
        """A new account is the last one; a file may have had none."""
        change = AccountChange("another", "hidden-2", admin=True)
        added = {"accessKey": "another", "secretKey": "hidden-2", "admin": True}
        put_account(self.document, change)
        self.assertEqual(self.document["accounts"], [self.account, added])
        for empty in ({}, {"accounts": None}):
            put_account(empty, change)
            self.assertEqual(empty, {"accounts": [added]})

    def test_refused(self) -> None:
        """What cannot be done changes nothing."""
        for wrong in (
            lambda: put_account(self.document, AccountChange("another")),
            lambda: put_account({"accounts": 7}, AccountChange("another", "hidden-2")),
            lambda: remove_account(self.document, "another"),
            lambda: remove_account({}, "12345678"),
        ):
            self.assertRaises(BadPolicy, wrong)
        self.assertEqual(self.document, {"accounts": [self.account], "more": 7})

    def test_remove(self) -> None:
        """An account goes, the others stay."""
        put_account(self.document, AccountChange("another", "hidden-2"))
        remove_account(self.document, "12345678")
        keys = [each["accessKey"] for each in self.document["accounts"]]
        self.assertEqual(keys, ["another"])

    def test_white(self) -> None:
        """The list is replaced."""
        replace_white(self.document, ["10.0.0.*"])
        self.assertEqual(self.document["globalWhiteRemoteAddresses"], ["10.0.0.*"])

    def test_version(self) -> None:
        """Each change has the next version; one that cannot be read is the first."""
        self.assertEqual(version_of(self.document), Version())
        advance(self.document, 1000)
        advance(self.document, 2000)
        self.assertEqual(
            self.document["dataVersion"], [{"counter": 2, "timestamp": 2000}]
        )
        self.assertEqual(version_of(self.document), Version(2, 2000))
        for odd in (7, [], [7], [{"counter": "x"}]):
            self.assertEqual(version_of({"dataVersion": odd}), Version())

    def test_shows_no_secret(self) -> None:
        """The secret is not in its representation."""
        self.assertNotIn("hidden", repr(AccountChange("another", "hidden-2")))
