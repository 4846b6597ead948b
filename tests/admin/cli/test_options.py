"""Which cluster is meant, and as whom."""

from __future__ import annotations

import os

import click
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.options import Options, Target, target_of
from tests.admin.cli.cases import CommandCase


class TargetTests(SynchronousTestCase):
    """Options, environment and file."""

    def file(self, text: str) -> str:
        """Write a file; return its path."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return path

    def target(self, environment: dict[str, str], **options: object) -> Target:
        """Return the target of options."""
        environment = {"ROCKETMQ_ADMIN_CONFIG": os.devnull, **environment}
        return target_of(Options(**options), environment)  # type: ignore[arg-type]

    def test_name_servers(self) -> None:
        """An option counts more than the environment, and that more than a file."""
        path = self.file("namesrvAddr=c:3\n")
        config = {"ROCKETMQ_ADMIN_CONFIG": path}
        self.assertEqual(self.target({}).name_servers, "127.0.0.1:9876")
        self.assertEqual(self.target(config).name_servers, "c:3")
        both = {**config, "NAMESRV_ADDR": "b:2"}
        self.assertEqual(self.target(both).name_servers, "b:2")
        self.assertEqual(self.target(both, name_servers="a:1").name_servers, "a:1")

    def test_credentials(self) -> None:
        """The secret is in the environment, a file of its own or the settings."""
        env = {"ROCKETMQ_ACCESS_KEY": "bob", "ROCKETMQ_SECRET_KEY": "s1"}
        found = self.target(env).credentials
        self.assertEqual((found.access_key, found.secret_key), ("bob", "s1"))
        secret = self.file("s2\n")
        found = self.target(env, secret_file=secret, access_key="eve").credentials
        self.assertEqual((found.access_key, found.secret_key), ("eve", "s2"))
        config = self.file("accessKey=ann\nsecretKey=s3\n")
        found = self.target({}, config=config).credentials
        self.assertEqual((found.access_key, found.secret_key), ("ann", "s3"))
        self.assertIsNone(self.target({}).credentials)

    def test_secret_of_nobody(self) -> None:
        """A secret without a user would be passed over."""
        with self.assertRaises(click.UsageError) as caught:
            self.target({}, secret_file=self.file("s"))
        self.assertIn("give --access-key", str(caught.exception))

    def test_misspelt(self) -> None:
        """A setting that is nearly one of these is refused, others are not."""
        with self.assertRaises(click.UsageError) as caught:
            self.target({}, config=self.file("namesrvAdr=a:1\n"))
        self.assertIn(
            'there is no setting "namesrvAdr"; did you mean namesrvAddr?',
            str(caught.exception),
        )
        config = self.file("brokerName=b\nlistenPort=1\nnamesrvAddr=a:1\n")
        self.assertEqual(self.target({}, config=config).name_servers, "a:1")

    def test_no_secret(self) -> None:
        """A user without a secret is a wrong command line, as is a file not there."""
        with self.assertRaises(click.UsageError) as caught:
            self.target({}, access_key="bob")
        self.assertIn("no secret", str(caught.exception))
        for options in ({"config": "/nothing"}, {"secret_file": "/nothing"}):
            with self.assertRaises(click.UsageError):
                self.target({}, access_key="bob", **options)

    def test_no_secret_on_the_command_line(self) -> None:
        """There is no option for it."""
        self.assertFalse([n for n in Options.__struct_fields__ if n == "secret_key"])

    def test_tls(self) -> None:
        """Options and settings turn it on; contradictions are refused."""
        self.assertIsNone(self.target({}).tls)
        self.assertEqual(self.target({}, tls_ca=__file__).tls.ca_file, __file__)
        for option in ("tls_ca", "tls_cert", "tls_key"):
            with self.assertRaises(click.UsageError) as caught:
                self.target({}, **{option: "/no/such/file"})
            self.assertIn("/no/such/file does not exist", str(caught.exception))
        insecure = self.target({}, tls_insecure=True).tls
        self.assertEqual(insecure.verify, "none-insecure")
        config = self.file("tls.enable=true\ntls.client.trustCertPath=/ca\n")
        self.assertEqual(self.target({}, config=config).tls.ca_file, "/ca")
        for wrong in ("tls.enabled=true\n",):
            with self.assertRaises(click.UsageError):
                self.target({}, config=self.file(wrong))


class PositionTests(CommandCase):
    """Options may stand before the noun and behind the command."""

    def test_positions(self) -> None:
        """The last one counts."""
        self.output("--timeout", "7", "topic", "list")
        assert self.target is not None
        self.assertEqual(self.target.timeout, 7)
        self.output("--timeout", "7", "topic", "list", "--timeout", "8")
        self.assertEqual(self.target.timeout, 8)
        self.assertEqual(self.output("--json", "topic", "list"), "[]\n")
