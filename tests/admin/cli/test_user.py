"""``rocketmq-admin user``."""

from __future__ import annotations

from tests.admin.cli.cases import CommandCase
from tests.admin.test_users import OPERATOR, SETTINGS


class UserTests(CommandCase):
    """Brokers with access control, and an operator."""

    settings = {"access": SETTINGS}
    environment = {
        "ROCKETMQ_ACCESS_KEY": OPERATOR.access_key,
        "ROCKETMQ_SECRET_KEY": OPERATOR.secret_key,
    }

    def password(self, text: str) -> str:
        """Write a password into a file; return its name."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_life(self) -> None:
        """A user is created, changed and deleted."""
        path = self.password("hidden-eve\n")
        create = ("user", "create", "eve", "--password-file", path)
        self.assertIn("created at", self.output(*create))
        self.error(*create)
        self.assertIn("eve", self.output("user", "list"))
        grant = ("user", "grant", "eve", "Topic:orders", "--action", "pub")
        self.assertIn("granted at", self.output(*grant, "--from", "10.0.0.1"))
        text = self.output("user", "show", "eve")
        self.assertIn("Topic:orders  allow     Pub      10.0.0.1", text)
        self.output("user", "update", "eve", "--disable")
        [state] = self.json("user", "show", "eve")["states"]
        self.assertEqual((state["enabled"], len(state["brokers"])), (False, 2))
        self.output("user", "revoke", "eve", "Topic:orders", "--yes")
        self.error("user", "revoke", "eve", "--all", "--yes")
        self.output("user", "delete", "eve", "--yes")
        self.error("user", "show", "eve")

    def test_wrong(self) -> None:
        """Wrong command lines change nothing."""
        for words in (
            ("create", "eve"),
            ("create", "eve", "--password-file", "/no/such/file"),
            ("create", "eve", "--password-file", self.password("")),
            ("update", "eve"),
            ("update", "eve", "--password"),
            ("grant", "eve", "Topic:orders"),
            ("grant", "eve", "Topic:orders", "--action", "fly"),
            ("grant", "eve", "orders", "--action", "pub"),
            ("revoke", "eve", "--yes"),
            ("revoke", "eve", "Topic:x", "--all", "--yes"),
            ("delete", "eve"),
        ):
            self.error("user", *words, code=2)
        self.assertEqual(len(self.json("user", "list")), 2)


class UnsignedTests(CommandCase):
    """The same brokers, and somebody who is nobody."""

    settings = {"access": SETTINGS}

    def test_hint(self) -> None:
        """Who gives no name is told how, also where only a part is refused."""
        why = "the requests are not signed: give --access-key"
        for words in (("user", "list"), ("broker", "config", "broker-a")):
            self.assertIn(f"; {why}\n", self.error(*words))
        text = self.error("topic", "list", code=4)
        self.assertIn(f"warning: {why}\n", text)


class PromptTests(UserTests):
    """The same at a terminal, on which a password is asked for."""

    terminal = True

    def test_wrong(self) -> None:
        """A password is given twice, and is not shown."""
        typed = "hidden-eve\nhidden-eve\n"
        result = self.invoke("user", "create", "eve", stdin=typed)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertNotIn("hidden", result.output)
        self.error("user", "create", "bob", stdin="one\nother\n")
        result = self.invoke("user", "update", "eve", "--password", stdin=typed)
        self.assertEqual(result.exit_code, 0, result.output)
