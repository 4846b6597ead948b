"""Users of ACL 2.0, at all brokers."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.access.secrets import Secret
from rocketmq_tw.admin import AdminClient, AlreadyExists, NotFound
from rocketmq_tw.admin.errors import InvalidArgument, RefusedByAll
from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.wire.requests.auth import GetUser
from tests.admin.cases import AdminCase

OPERATOR = Credentials("operator", "hidden-operator")
SETTINGS = AccessSettings(
    is_authenticated=True,
    is_authorized=True,
    first_user=Secret(OPERATOR.access_key, OPERATOR.secret_key),
    inner=Secret("inner", "hidden-inner"),
)


class UserTests(AdminCase):
    """Two brokers with access control, and an operator who may do everything."""

    settings = {"access": SETTINGS}

    def make_admin(self, **options: Any) -> AdminClient:
        """Let the operator sign, unless somebody else does."""
        options.setdefault("credentials", OPERATOR)
        return super().make_admin(**options)

    def setUp(self) -> None:
        """Create a user."""
        super().setUp()
        self.users = self.admin.users
        done = self.run_admin(self.users.create("eve", "hidden-eve"))
        self.assertEqual((len(done.done), done.failed), (2, {}))

    def test_list(self) -> None:
        """Each user is there once, with all of its brokers."""
        found = self.run_admin(self.users.list())
        self.assertEqual(
            [(u.name, u.is_super, u.enabled, len(u.brokers)) for u in found],
            [
                ("eve", False, True, 2),
                ("inner", True, True, 2),
                ("operator", True, True, 2),
            ],
        )
        [eve] = self.run_admin(self.users.list("ev"))
        self.assertEqual(eve.name, "eve")
        self.assertEqual(self.run_admin(self.users.list("nobody")), ())

    def test_create(self) -> None:
        """Not twice, and not without a name or a password."""
        self.failure(self.users.create("eve", "x"), AlreadyExists)
        self.failure(self.users.create("", "x"), BadPolicy)
        self.failure(self.users.create("bob", ""), BadPolicy)
        self.run_admin(self.users.create("root", "hidden-root", is_super=True))
        [state] = self.run_admin(self.users.get("root")).states
        self.assertTrue(state.is_super)

    def test_update(self) -> None:
        """Only what is named changes."""
        self.run_admin(self.users.update("eve", enabled=False))
        [state] = self.run_admin(self.users.get("eve")).states
        self.assertEqual((state.enabled, state.is_super), (False, False))
        self.run_admin(self.users.update("eve", enabled=True, is_super=True))
        self.run_admin(self.users.update("eve", password="hidden-new"))
        eve = self.make_admin(credentials=Credentials("eve", "hidden-new"))
        self.assertEqual(len(self.run_admin(eve.users.list())), 3)
        self.failure(self.users.update("eve", password=""), BadPolicy)

    def test_permissions(self) -> None:
        """What is granted counts at once, and is taken away again."""
        eve = self.make_admin(credentials=Credentials("eve", "hidden-eve"))
        self.failure(eve.topics.create("orders", queues=1), RefusedByAll)
        grant = self.users.grant("eve", ["Topic:orders"], ["create", "get"])
        self.run_admin(grant)
        self.run_admin(eve.topics.create("orders", queues=1))
        deny = {"deny": True, "sources": ["10.0.0.1"]}
        self.run_admin(self.users.grant("eve", ["Group:*"], ["Sub"], **deny))
        found = self.run_admin(self.users.get("eve")).permissions
        self.assertEqual(
            [
                (p.resource, p.actions, p.allow, p.sources, len(p.brokers))
                for p in found
            ],
            [
                ("Group:*", ("Sub",), False, ("10.0.0.1",), 2),
                ("Topic:orders", ("Create", "Get"), True, (), 2),
            ],
        )
        self.run_admin(self.users.revoke("eve", "Topic:orders"))
        self.failure(self.users.revoke("eve", "Topic:orders"), NotFound)
        self.run_admin(self.users.revoke("eve"))
        self.assertEqual(self.run_admin(self.users.get("eve")).permissions, ())

    def test_wrong(self) -> None:
        """What cannot be granted is refused before a broker is asked."""
        grant = self.users.grant
        text = self.failure(grant("eve", ["orders"], ["Pub"]), InvalidArgument)
        self.assertIn('"orders" is no resource; expected Topic:orders', text)
        sources = ["10.0.0.1", "here"]
        wrong = grant("eve", ["Topic:x"], ["Pub"], sources=sources)
        text = self.failure(wrong, InvalidArgument)
        self.assertIn('"here" is no address or network', text)
        self.failure(grant("eve", ["Topic:x"], ["fly"]), BadPolicy)
        self.failure(self.users.grant("eve", [], ["Pub"]), BadPolicy)

    def test_unknown(self) -> None:
        """A user that nobody has is named."""
        self.run_admin(self.users.delete("eve"))
        users = self.users
        for call in (
            users.get("eve"),
            users.update("eve", enabled=True),
            users.delete("eve"),
            users.grant("eve", ["Topic:x"], ["Pub"]),
            users.revoke("eve"),
        ):
            text = self.failure(call, NotFound)
            self.assertEqual(text, 'there is no user "eve"')
        self.failure(users.get(""), InvalidArgument)

    def test_brokers_differ(self) -> None:
        """Each state is there, with its brokers; so is who cannot say."""
        self.cluster.broker.traffic.refuse(GetUser, 1)
        found = self.run_admin(self.users.get("eve"))
        self.assertEqual(len(found.failed), 1)
        self.assertEqual(len(found.states[0].brokers), 1)

    def test_no_secrets(self) -> None:
        """A password is in no result."""
        for result in (self.users.list(), self.users.get("eve")):
            self.assertNotIn("hidden", repr(self.run_admin(result)))


class NoAccessControlTests(AdminCase):
    """Brokers that let everybody in have no users."""

    def test_list(self) -> None:
        """They say so."""
        text = self.failure(self.admin.users.list(), RefusedByAll)
        self.assertIn("the users cannot be listed", text)
        self.assertIn("set authenticationEnabled=true", text)
