"""Tests of accounts that become users."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.acl import AccountText
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.migration import acl_of, user_of
from rocketmq_tw.auth.policies import EntryText, UserType, format_acl


def account(**fields: Any) -> AccountText:
    """Make an account."""
    return AccountText(**{"access_key": "billing", "secret_key": "hidden-1", **fields})


def entries(**fields: Any) -> dict[str, list[tuple[str | None, str, str | None]]]:
    """Return resource, actions and decision of each entry, by policy."""

    def row(entry: EntryText) -> tuple[str | None, str, str | None]:
        return entry.resource, ",".join(entry.actions or ()), entry.decision

    text = format_acl("User:billing", acl_of(account(**fields)))
    return {
        policy.policy_type or "": [row(entry) for entry in policy.entries or ()]
        for policy in text.policies or ()
    }


class UserTests(SynchronousTestCase):
    """The user, with its type."""

    def test_type(self) -> None:
        """An administrator may do everything."""
        self.assertIs(user_of(account()).user_type, UserType.NORMAL)
        user = user_of(account(access_key=12345678, admin=True))
        self.assertIs(user.user_type, UserType.SUPER)
        self.assertEqual((user.username, user.password), ("12345678", "hidden-1"))

    def test_bad(self) -> None:
        """Not every name can be that of a user."""
        self.assertRaises(BadPolicy, user_of, account(access_key="x" * 256))


class AclTests(SynchronousTestCase):
    """What the user may do."""

    def test_nothing(self) -> None:
        """Without permissions there are no policies, and nothing is allowed."""
        self.assertEqual(entries(), {})
        self.assertEqual(entries(default_topic_perm=" ", topic_perms=[]), {})

    def test_permissions(self) -> None:
        """What is listed is the custom policy, what is not is the default one."""
        found = entries(
            topic_perms=["T1=PUB", "T2 = SUB|PUB", "T3=DENY"],
            group_perms=["G1=SUB", "%RETRY%G2=PUB|SUB"],
            default_topic_perm="SUB",
            default_group_perm="DENY",
        )
        self.assertEqual(
            found,
            {
                "Custom": [
                    ("Topic:T1", "Pub", "Allow"),
                    ("Topic:T2", "Pub,Sub", "Allow"),
                    ("Topic:T3", "All", "Deny"),
                    ("Group:G1", "Sub", "Allow"),
                    ("Group:G2", "Pub,Sub", "Allow"),
                ],
                "Default": [
                    ("Topic:*", "Sub", "Allow"),
                    ("Group:*", "All", "Deny"),
                ],
            },
        )

    def test_unknown_default(self) -> None:
        """A default that is no permission denies, as before the migration."""
        found = entries(default_topic_perm="ALL")
        self.assertEqual(found, {"Default": [("Topic:*", "All", "Deny")]})

    def test_no_name(self) -> None:
        """A permission is about something."""
        self.assertRaises(BadPolicy, acl_of, account(topic_perms=["=PUB"]))
