"""Tests of access control in a running broker, with users and policies."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.logger import globalLogPublisher

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.policies import AclText, EntryText, PolicyText, User
from rocketmq_tw.broker.access.guard import AccessGuard
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.model.access import MAX_NEEDS
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.command import BINARY
from rocketmq_tw.wire.requests.admin import GetBrokerConfig, GetRuntimeInfo
from rocketmq_tw.wire.requests.auth import CreateAcl, CreateUser, GetUser, UpdateUser
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from tests.broker.access import samples
from tests.broker.access.cases import ADMIN, BOB, INNER, AccessCase
from tests.broker.cases import TOPIC, pulled, sent


def acl(*entries: EntryText) -> bytes:
    """Return the body of a request that allows something."""
    return msgspec.json.encode(AclText([PolicyText(list(entries))]))


class GuardTests(AccessCase):
    """Who is refused, and in which words."""

    def setUp(self) -> None:
        """Let Bob send to one topic."""
        super().setUp()
        body = b'{"password":"hidden-bob","username":"bob"}'
        self.assertEqual(
            self.status_as(ADMIN, CreateUser(username="bob", body=body)), 0
        )
        entry = EntryText(["Pub"], "Allow", f"Topic:{TOPIC}")
        request = CreateAcl(subject="User:bob", body=acl(entry))
        self.assertEqual(self.status_as(ADMIN, request), 0)

    def test_allowed(self) -> None:
        """A user may do what policies allow, in both forms of headers."""
        self.assertEqual(self.status_as(BOB, sent()), 0)
        self.assertEqual(self.call.principal, "bob")
        response = self.ask_as(BOB, sent(), kind=BINARY)
        self.assertEqual(int(response.status), 0)

    def test_super(self) -> None:
        """Super users may do everything."""
        self.assertEqual(self.status_as(ADMIN, sent("Other")), 0)
        self.assertEqual(self.status_as(INNER, GetRuntimeInfo()), 0)

    def test_not_authenticated(self) -> None:
        """Each failure has the words of Apache RocketMQ, and no secret."""
        for who, words in (
            (None, "username cannot be null."),
            (Credentials("eve", "x"), "User:eve is not found."),
            (Credentials("bob", "x"), "check signature failed."),
        ):
            self.assertEqual(self.remark_as(who, sent()), words)

    def test_disabled(self) -> None:
        """A user that is disabled is refused at once."""
        request = UpdateUser(username="bob", body=b'{"userStatus":"disable"}')
        self.assertEqual(self.status_as(ADMIN, request), 0)
        self.assertEqual(self.remark_as(BOB, sent()), "User:bob is disabled.")

    def test_not_authorized(self) -> None:
        """A user may do no more than policies allow."""
        self.assertEqual(
            self.remark_as(BOB, sent("Other")),
            "User:bob has no permission to access Topic:Other from 10.0.0.9,"
            " no matched policies.",
        )
        self.assertIn("Topic:TopicTest", self.remark_as(BOB, pulled()))
        self.assertIn("Cluster:DefaultCluster", self.remark_as(BOB, GetBrokerConfig()))

    def test_change_counts_at_once(self) -> None:
        """A policy counts for the next request."""
        self.assertEqual(self.status_as(BOB, sent()), 0)
        entry = EntryText(["Pub"], "Deny", f"Topic:{TOPIC}")
        self.ask_as(ADMIN, CreateAcl(subject="User:bob", body=acl(entry)))
        self.assertIn("the decision is deny.", self.remark_as(BOB, sent()))

    def test_no_code_without_signature(self) -> None:
        """No declared request is handled for somebody without a user."""
        without = Credentials("nobody", "x")
        for code, declared in samples.declared().items():
            if self.router.find(code) is None:
                continue
            for who in (None, without):
                request = samples.sample(declared)
                self.assertEqual(self.status_as(who, request), 16, declared)

    def test_no_code_without_permission(self) -> None:
        """A user without a policy gets nothing from any request with a need."""
        body = b'{"password":"hidden-eve","username":"eve"}'
        self.ask_as(ADMIN, CreateUser(username="eve", body=body))
        eve = Credentials("eve", "hidden-eve")
        passed = []
        for code, declared in samples.declared().items():
            if self.router.find(code) is not None:
                response = self.ask_as(eve, samples.sample(declared))
                if response is None or int(response.status) != 16:
                    passed.append(declared.__name__)
        # The end of no transaction, by a client that does not name a topic, as none
        # before 5.0 does; and a client without a consumer group, which does nothing.
        self.assertEqual(sorted(passed), ["EndTransaction", "UnregisterClient"])

    def test_log(self) -> None:
        """A refusal is a line, at most one a minute for a host, without secrets."""
        lines: list[Any] = []
        globalLogPublisher.addObserver(lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, lines.append)
        for _ in range(100):
            self.status_as(Credentials("bob", "hidden-other"), sent())
        text = [line for line in lines if "refused {request}" in str(line)]
        self.assertEqual(len(text), 1)
        self.assertNotIn("hidden", str(lines))

    def test_many_names(self) -> None:
        """A heartbeat that names too much is refused before anything is decided."""
        groups = tuple(ConsumerData(f"G{i}") for i in range(MAX_NEEDS + 1))
        body = HeartbeatData("c", consumer_data_set=groups).encode()
        self.assertIn(f"over {MAX_NEEDS}", self.remark_as(BOB, Heartbeat(body=body)))

    def test_long_name(self) -> None:
        """A long name is neither remembered nor repeated in full."""
        guard = self.router._guards[0].guard
        assert isinstance(guard, AccessGuard)
        checks: Any = guard._checks
        before = len(checks._decided), len(guard._admitted)
        self.assertLess(len(self.remark_as(BOB, sent("x" * 9000))), 300)
        self.ask_as(ADMIN, sent("x" * 9000))
        after = len(checks._decided), len(guard._admitted)
        self.assertEqual(before, after)

    def test_status_has_no_secret(self) -> None:
        """Neither settings nor statistics nor users show a password."""
        for request in (GetBrokerConfig(), GetRuntimeInfo(), GetUser(username="bob")):
            response = self.ask_as(ADMIN, request)
            self.assertEqual(int(response.status), 0)
            self.assertNotIn(b"hidden", response.body)
        self.assertNotIn("hidden", repr(self.service._config))
        self.assertNotIn("hidden", repr(User("bob", "hidden-bob")))


class WhiteListTests(AccessCase):
    """Codes that need no signature, or no permission."""

    settings = {
        "access": AccessSettings(
            is_authenticated=True,
            is_authorized=True,
            first_user=Secret(ADMIN.access_key, ADMIN.secret_key),
            unsigned=frozenset((28, 26)),
            unchecked=frozenset((28,)),
        )
    }

    def test_codes(self) -> None:
        """An unsigned request is allowed if it needs no permission either."""
        self.assertEqual(self.status_as(None, GetRuntimeInfo()), 0)
        self.assertEqual(self.status_as(None, GetBrokerConfig()), 16)
        self.assertEqual(self.status_as(None, sent()), 16)
