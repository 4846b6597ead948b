"""Tests of requests about users and policies, and of the document."""

from __future__ import annotations

import json
import os
from typing import Any

from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import User
from rocketmq_tw.broker.access.users import AccessDocument, UserTable
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.request_json import SMALL
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from rocketmq_tw.wire.requests.auth import (
    CreateAcl,
    CreateUser,
    DeleteAcl,
    DeleteUser,
    GetAcl,
    GetUser,
    ListAcls,
    ListUsers,
    UpdateAcl,
    UpdateUser,
)
from tests.broker.access.cases import ADMIN, BOB, AccessCase

CREATE = CreateUser(username="bob", body=b'{"password":"hidden-bob"}')


def policies(*resources: str, decision: str = "Allow") -> bytes:
    """Return the body of a request with an entry for each resource."""
    entries = [
        {"resource": each, "actions": ["Pub"], "decision": decision}
        for each in resources
    ]
    return json.dumps({"policies": [{"entries": entries}]}).encode()


class RequestTests(AccessCase):
    """The requests of ``mqadmin``, and the responses of Apache RocketMQ."""

    def body(self, request: Request[Any]) -> Any:
        """Ask as an administrator; return what the response has."""
        response = self.ask_as(ADMIN, request)
        self.assertEqual((int(response.status), response.remark), (0, None))
        return json.loads(response.body) if response.body else None

    def refused_as(self, request: Request[Any], words: str, code: int = 16) -> None:
        """Ask as an administrator for what cannot be done."""
        response = self.ask_as(ADMIN, request)
        self.assertEqual((int(response.status), response.remark), (code, words))

    def test_users(self) -> None:
        """Users are created, changed, found and deleted."""
        self.assertIsNone(self.body(GetUser(username="bob")))
        self.assertIsNone(self.body(CREATE))
        shown = {"username": "bob", "userType": "Normal", "userStatus": "enable"}
        self.assertEqual(self.body(GetUser(username="bob")), shown)
        self.body(UpdateUser(username="bob", body=b'{"userType":"Super"}'))
        shown["userType"] = "Super"
        self.assertEqual(self.body(ListUsers(filter="bo")), [shown])
        self.assertEqual(self.status_as(BOB, GetRuntimeInfo()), 0)
        self.body(DeleteUser(username="bob"))
        self.body(DeleteUser(username="bob"))
        self.assertIsNone(self.body(ListUsers(filter="bo")))

    def test_users_that_cannot_be(self) -> None:
        """What cannot be done is refused in the words of Apache RocketMQ."""
        self.body(CREATE)
        self.refused_as(CREATE, "The user is existed")
        self.refused_as(
            CreateUser(username="a", body=b"{}"), "password can not be blank"
        )
        self.refused_as(CreateUser(body=b"{}"), "The username is blank", 29)
        self.refused_as(UpdateUser(username="a", body=b"{}"), "The user is not exist")

    def test_policies(self) -> None:
        """Entries are added, replaced, found and removed."""
        self.body(CREATE)
        self.body(CreateAcl(subject="User:bob", body=policies("Topic:a", "Topic:b")))
        self.body(
            UpdateAcl(subject="User:bob", body=policies("Topic:a", decision="Deny"))
        )
        found = self.body(GetAcl(subject="User:bob"))
        self.assertEqual(found["subject"], "User:bob")
        entries = found["policies"][0]["entries"]
        decided = {each["resource"]: each["decision"] for each in entries}
        self.assertEqual(decided, {"Topic:a": "Deny", "Topic:b": "Allow"})
        self.assertEqual(len(self.body(ListAcls(resource_filter="Topic:b"))), 1)
        self.assertIsNone(self.body(ListAcls(subject_filter="eve")))
        self.body(DeleteAcl(subject="User:bob", resource="Topic:a"))
        self.body(DeleteAcl(subject="User:bob"))
        self.assertIsNone(self.body(GetAcl(subject="User:bob")))
        self.refused_as(DeleteAcl(subject="User:bob"), "The acl is not exist.")

    def test_policies_that_cannot_be(self) -> None:
        """A policy needs a user, and is not longer than others are."""
        body = policies("Topic:a")
        words = "The subject of User:eve is not exist."
        self.refused_as(CreateAcl(subject="User:eve", body=body), words)
        for request in (GetAcl(subject="User:eve"), DeleteAcl(subject="User:eve")):
            self.refused_as(request, "The subject is not exist.")
        self.body(CREATE)
        long = policies("Topic:a") + b" " * SMALL
        response = self.ask_as(ADMIN, CreateAcl(subject="User:bob", body=long))
        self.assertIn(f"over {SMALL} bytes", str(response.remark))

    def test_deleted_with_policies(self) -> None:
        """A user that comes back has no policy left."""
        self.body(CREATE)
        self.body(CreateAcl(subject="User:bob", body=policies("Topic:a")))
        self.body(DeleteUser(username="bob"))
        self.body(CREATE)
        self.assertIsNone(self.body(GetAcl(subject="User:bob")))

    def test_restart(self) -> None:
        """What was acknowledged is there after a restart; others cannot read it."""
        self.body(CREATE)
        self.body(CreateAcl(subject="User:bob", body=policies("Topic:a")))
        path = os.path.join(self.root, "config", "access.json")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.restart()
        self.assertEqual(self.body(GetUser(username="bob"))["userType"], "Normal")
        self.assertIsNotNone(self.body(GetAcl(subject="User:bob")))

    def test_not_written(self) -> None:
        """A change that cannot be written is not acknowledged."""
        self.threads.fail_with(OSError("the disk is full"))
        response = self.ask_as(ADMIN, CREATE)
        self.assertEqual(int(response.status), 1)
        self.assertIn("cannot be written", str(response.remark))
        self.threads.fail_with(None)
        self.flushLoggedErrors()


class LimitTests(AccessCase):
    """Tables do not grow without end."""

    settings = {**AccessCase.settings, "max_access_users": 3, "max_access_entries": 2}

    def test_limits(self) -> None:
        """Past a limit a sentence names the setting, and the refusal is counted."""
        self.assertEqual(self.status_as(ADMIN, CREATE), 0)
        request = CreateUser(username="eve", body=b'{"password":"x"}')
        self.assertIn("maxAccessUsers (3)", self.remark_as(ADMIN, request))
        body = policies("Topic:a", "Topic:b", "Topic:c")
        request = CreateAcl(subject="User:bob", body=body)
        self.assertIn("maxAccessEntries (2)", self.remark_as(ADMIN, request))
        table = json.loads(self.ask_as(ADMIN, GetRuntimeInfo()).body)["table"]
        self.assertEqual(table["accessUsers"], "3")
        self.assertEqual(table["accessUsersRefused"], "1")
        self.assertEqual(table["accessEntriesRefused"], "1")


class TableTests(AccessCase):
    """The document."""

    def test_round_trip(self) -> None:
        """What is written is read again."""
        table = UserTable(10, 10)
        table.put(User("bob", "x"))
        document = table.dump().encode()
        other = UserTable(10, 10)
        other.load(AccessDocument.decode(document))
        self.assertEqual(other.dump(), table.dump())

    def test_bad(self) -> None:
        """A row that cannot be used is refused; the broker does not start."""
        for text in (
            b'{"users":[{"username":"","password":"x"}]}',
            b'{"users":[{"username":"a","password":"x","userType":"Other"}]}',
            b'{"users":[{"username":"a","password":"x","userStatus":"Other"}]}',
            b'{"acls":[{"subject":"User:a","policies":[]}]}',
        ):
            document = AccessDocument.decode(text)
            self.assertRaises(BadPolicy, UserTable(10, 10).load, document)
