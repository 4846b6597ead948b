"""Tests of the migration when a broker starts."""

from __future__ import annotations

import os
from tempfile import mkdtemp
from typing import Any

import msgspec
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.access.plain_files import PlainFiles
from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.broker.access.migrate import migrate
from rocketmq_tw.broker.access.users import UserTable
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.auth import UpdateUser
from tests.broker.access.cases import ADMIN, CLIENT, FILE, OPERATOR, AccessCase
from tests.broker.cases import sent


class Folder:
    """A folder with a ``plain_acl.yml``."""

    def __init__(self, case: Any, text: str = FILE) -> None:
        self.folder = mkdtemp()
        case.addCleanup(os.system, f"rm -rf {self.folder}")
        self.path = os.path.join(self.folder, "plain_acl.yml")
        with open(self.path, "w") as file:
            file.write(text)


class MigrateTests(SynchronousTestCase):
    """Which accounts become users."""

    def migrate(self, text: str, users: UserTable) -> str:
        """Migrate the accounts of a file; return what was logged."""
        files = PlainFiles(Folder(self, text).path, 100)
        with capturedLogs() as events:
            migrate(files, users)
        return "\n".join(formatEvent(event) or "" for event in events)

    def test_all(self) -> None:
        """Each has its own; white lists are named, as they have no counterpart."""
        users = UserTable(10, 10)
        log = self.migrate(FILE, users)
        self.assertEqual([u.username for u in users.users()], ["RocketMQ", "operator"])
        self.assertEqual([name for name, _ in users.acls()], ["RocketMQ"])
        self.assertIn("2 accounts", log)
        self.assertIn("white lists", log)
        self.assertNotIn("hidden", log)

    def test_one_that_cannot(self) -> None:
        """It is named in the log and left out; the others are migrated."""
        users = UserTable(10, 1)
        text = """accounts:
        - {accessKey: account-1, secretKey: hidden-1, topicPerms: [T=PUB, U=PUB]}
        - {accessKey: account-2, secretKey: hidden-2, topicPerms: [T=PUB]}"""
        log = self.migrate(text, users)
        self.assertEqual([user.username for user in users.users()], ["account-2"])
        self.assertIn("account-1 is not migrated", log)

    def test_no_file(self) -> None:
        """Without a file nothing is migrated."""
        users = UserTable(10, 10)
        migrate(PlainFiles("/nowhere/plain_acl.yml", 10), users)
        self.assertEqual(len(users), 0)

    def test_unusable_file(self) -> None:
        """A file that cannot be used ends the start."""
        self.assertRaises(BadPolicy, self.migrate, "accounts: 7", UserTable(10, 10))


class StartTests(AccessCase):
    """A broker that migrates at its start."""

    def setUp(self) -> None:
        """Write the accounts first."""
        path = Folder(self).path
        access = msgspec.structs.replace(
            AccessCase.settings["access"], migrated_file=path
        )
        self.settings = {"access": access}
        super().setUp()

    def test_permissions(self) -> None:
        """Clients go on with what they may do, and are refused what they may not."""
        self.assertEqual(self.status_as(CLIENT, sent()), 0)
        self.assertIn("Topic:Other", self.remark_as(CLIENT, sent("Other")))
        self.assertEqual(self.status_as(CLIENT, GetRuntimeInfo()), 16)
        for who in (OPERATOR, ADMIN):
            self.assertEqual(self.status_as(who, GetRuntimeInfo()), 0)

    def test_restart(self) -> None:
        """What was changed since is not undone."""
        body = b'{"password":"hidden-new"}'
        self.ask_as(ADMIN, UpdateUser(username="RocketMQ", body=body))
        self.restart()
        self.assertEqual(self.status_as(CLIENT, sent()), 16)
        new = Credentials("RocketMQ", "hidden-new")
        self.assertEqual(self.status_as(new, sent()), 0)
