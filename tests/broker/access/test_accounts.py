"""Tests of requests about the accounts of ACL 1.0."""

from __future__ import annotations

import json
import os

from twisted.logger import globalLogPublisher

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.yaml_text import read_yaml
from rocketmq_tw.broker.access.control import LOOK_PERIOD
from rocketmq_tw.wire.requests.accounts import (
    DeleteAccount,
    GetAccounts,
    GetAccountVersions,
    UpdateAccount,
    UpdateWhiteAddresses,
)
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.broker.access.cases import CLIENT, FILE, OPERATOR, PlainCase
from tests.broker.cases import TOPIC, Peer, pulled, sent

NEW = Credentials("another", "hidden-3")
MAKE = UpdateAccount(access_key="another", secret_key="hidden-3")


class AccountTests(PlainCase):
    """What administrators can ask, and what follows."""

    def check_refused(self, code: int, request: object, words: str) -> None:
        """An administrator's request is refused, and changes no file."""
        with open(self.path, "rb") as file:
            before = file.read()
        response = self.ask_as(OPERATOR, request)  # type: ignore[arg-type]
        self.assertEqual(int(response.status), code)
        self.assertIn(words, response.remark)
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), before)

    def test_new_account(self) -> None:
        """It is in force with the response, and after a restart."""
        self.assertEqual(self.status_as(NEW, sent()), 16)
        make = UpdateAccount(
            access_key="another",
            secret_key="hidden-3",
            default_topic_perm="SUB",
            topic_perms=f"{TOPIC}=PUB,Other=DENY",
        )
        self.assertEqual(self.status_as(OPERATOR, make), 0)
        for _ in range(2):
            self.assertEqual(self.status_as(NEW, sent()), 0)
            self.assertIn("Other", self.remark_as(NEW, sent("Other")))
            self.assertEqual(self.status_as(CLIENT, sent()), 0)
            self.restart()

    def test_change(self) -> None:
        """What a request lacks stays: the secret, and the permissions for groups."""
        change = UpdateAccount(access_key="RocketMQ", topic_perms=f"{TOPIC}=PUB|SUB")
        self.assertEqual(self.status_as(OPERATOR, change), 0)
        # There is no such topic yet, but it might be read.
        self.assertEqual(self.status_as(CLIENT, pulled()), 17)

    def test_no_permissions(self) -> None:
        """An empty list takes away those for single topics; the default is left."""
        change = UpdateAccount(access_key="RocketMQ", topic_perms="")
        self.assertEqual(self.status_as(OPERATOR, change), 0)
        self.assertIn("default permission", self.remark_as(CLIENT, sent()))

    def test_sends_that_are_known(self) -> None:
        """What an account may send is asked again after a change."""
        self.assertEqual(self.status_as(CLIENT, sent()), 0)
        change = UpdateAccount(access_key="RocketMQ", topic_perms=f"{TOPIC}=DENY")
        self.status_as(OPERATOR, change)
        lane = self.router.lane
        assert lane is not None
        self.assertEqual(lane.take([], 0, 0, self.peer, 0.0).count, 0)
        self.assertIn(TOPIC, self.remark_as(CLIENT, sent()))

    def test_deletion(self) -> None:
        """The account is unknown at once."""
        self.assertEqual(
            self.status_as(OPERATOR, DeleteAccount(access_key="RocketMQ")), 0
        )
        self.assertIn("RocketMQ", self.remark_as(CLIENT, sent()))
        again = DeleteAccount(access_key="RocketMQ")
        self.check_refused(210, again, "no such account")

    def test_other_file(self) -> None:
        """An account is changed in the file where it is."""
        more = "accounts: [{accessKey: another, secretKey: hidden-3}]"
        self.write(more, "acl/more.yml")
        self.clock.advance(LOOK_PERIOD / 1000)
        change = UpdateAccount(access_key="another", admin=True)
        self.assertEqual(self.status_as(OPERATOR, change), 0)
        self.assertEqual(self.status_as(NEW, GetRuntimeInfo()), 0)
        with open(self.path) as file:
            self.assertEqual(file.read(), FILE)

    def test_white_list(self) -> None:
        """Patterns are replaced; a comma within braces belongs to its pattern."""
        change = UpdateWhiteAddresses(global_white_addrs="10.0.2.{7,8}, 10.0.3.*")
        self.assertEqual(self.status_as(OPERATOR, change), 0)
        for host, code in (("10.0.2.8", 0), ("10.0.3.1", 0), ("10.0.1.7", 16)):
            peer = Peer()
            peer.address = f"{host}:4000"
            self.assertEqual(int(self.ask_as(None, sent(), peer).status), code, host)

    def test_white_list_of_a_file(self) -> None:
        """Only files with accounts can be named."""
        path = self.write("accounts: []", "acl/more.yml")
        other = self.write("accounts: []", "other.yml")
        self.clock.advance(LOOK_PERIOD / 1000)
        for wrong in (other, "/etc/passwd", f"{path}/../../other.yml", "plain_acl.yml"):
            change = UpdateWhiteAddresses(
                global_white_addrs="*", acl_file_full_path=wrong
            )
            self.check_refused(211, change, "none of the files")
        change = UpdateWhiteAddresses(
            global_white_addrs="10.0.2.7", acl_file_full_path=path
        )
        self.assertEqual(self.status_as(OPERATOR, change), 0)
        with open(path, "rb") as file:
            found = read_yaml(file.read())
        self.assertEqual(found["globalWhiteRemoteAddresses"], ["10.0.2.7"])

    def test_unusable(self) -> None:
        """What could not be used is refused in a sentence."""
        for request, words in (
            (UpdateAccount(access_key="another"), "secretKey"),
            (UpdateAccount(access_key="a", secret_key="hidden-3"), "characters"),
            (UpdateAccount(access_key="RocketMQ", secret_key="short"), "characters"),
            (UpdateAccount(access_key="RocketMQ", topic_perms="T"), "name=PUB"),
            (UpdateAccount(access_key="RocketMQ", white_remote_address="x"), "pattern"),
        ):
            self.check_refused(209, request, words)
        change = UpdateWhiteAddresses(global_white_addrs="nothing")
        self.check_refused(211, change, "pattern")
        self.assertEqual(self.status_as(CLIENT, sent()), 0)

    def test_administrators_only(self) -> None:
        """Others are refused, and those whose address alone lets them in."""
        peer = Peer()
        peer.address = "10.0.1.7:4000"
        for request in (
            MAKE,
            DeleteAccount(access_key="RocketMQ"),
            UpdateWhiteAddresses(global_white_addrs="*"),
            # Which files there are is none of their business either.
            UpdateWhiteAddresses(
                global_white_addrs="*", acl_file_full_path="/etc/passwd"
            ),
        ):
            for who in (None, CLIENT, Credentials("operator", "wrong-secret")):
                for where in (None, peer):
                    response = self.ask_as(who, request, where)
                    self.assertEqual(int(response.status), 16)
        with open(self.path) as file:
            self.assertEqual(file.read(), FILE)
        self.assertEqual(int(self.ask_as(OPERATOR, MAKE, peer).status), 0)
        for request in (GetAccounts(), GetAccountVersions()):
            self.assertEqual(self.status_as(CLIENT, request), 16)

    def test_versions(self) -> None:
        """Each change is counted, in the file where it was made."""
        more = self.write("accounts: []", "acl/more.yml")
        self.clock.advance(LOOK_PERIOD / 1000)
        self.status_as(OPERATOR, MAKE)
        self.clock.advance(1)
        self.status_as(OPERATOR, UpdateWhiteAddresses(global_white_addrs="10.0.2.7"))
        response = self.ask_as(OPERATOR, GetAccountVersions())
        now_ms = int(self.clock.wall_seconds() * 1000)
        changed = {"counter": 2, "timestamp": now_ms}
        self.assertEqual(json.loads(response.version), changed)
        self.assertEqual(
            json.loads(response.all_acl_file_version),
            {self.path: changed, more: {"counter": 0, "timestamp": 0}},
        )
        self.assertEqual(response.broker_name, "broker-a")
        self.assertEqual(response.broker_addr, self.broker.address)
        self.assertEqual(response.cluster_name, "DefaultCluster")

    def test_listing(self) -> None:
        """Accounts are shown with all but their secrets."""
        body = self.ask_as(OPERATOR, GetAccounts()).body
        found = json.loads(body)
        self.assertEqual(found["globalWhiteAddrs"], ["10.0.1.*"])
        client, operator = (
            {name: value for name, value in each.items() if value is not None}
            for each in found["plainAccessConfigs"]
        )
        self.assertEqual(
            client,
            {
                "accessKey": "RocketMQ",
                "admin": False,
                "defaultTopicPerm": "DENY",
                "defaultGroupPerm": "SUB",
                "topicPerms": [f"{TOPIC}=PUB"],
            },
        )
        self.assertEqual(operator, {"accessKey": "operator", "admin": True})

    def test_together(self) -> None:
        """Two changes at once are made one after the other; neither is lost."""
        self.threads.hold()
        for key in ("another", "a-third"):
            self.begin(OPERATOR, UpdateAccount(access_key=key, secret_key="hidden-3"))
        self.threads.release()
        for key in ("another", "a-third"):
            who = Credentials(key, "hidden-3")
            self.assertIn("default permission", self.remark_as(who, sent()))

    def test_log(self) -> None:
        """A change is a line with who made it, and without secrets."""
        lines: list[object] = []
        globalLogPublisher.addObserver(lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, lines.append)
        self.status_as(OPERATOR, MAKE)
        text = str(lines)
        self.assertIn("operator", text)
        self.assertNotIn("hidden", text)
        self.assertEqual(os.listdir(self.folder), ["plain_acl.yml"])
