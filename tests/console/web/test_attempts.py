"""How often one may be wrong, and who is not concerned."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.web.attempts import (
    MOST_ADDRESSES,
    MOST_OF_STRANGERS,
    Attempts,
    counted_as,
)
from rocketmq_tw.model.ip_address import parse_networks
from tests.console.visits import BEARER, TOKEN, HttpCase


class AttemptTests(SynchronousTestCase):
    """Limits of one address, and of all."""

    def setUp(self) -> None:
        """Let nobody have been wrong."""
        self.clock = Clock()
        self.clock.advance(1000)
        self.attempts = Attempts(self.clock, 3600.0)

    def attack(self, count: int = 200) -> None:
        """Send wrong tokens from many addresses, until all strangers are refused."""
        for number in range(count):
            self.attempts.wrong(f"198.51.100.{number}")
        self.refuse("203.0.113.1")

    def refuse(self, host: str) -> None:
        """Check that an address is refused."""
        error = self.assertRaises(HttpError, self.attempts.check, host)
        self.assertEqual(error.status, 429)
        self.assertEqual(error.headers, {"retry_after": "61"})

    def test_of_one(self) -> None:
        """Others are not concerned, and it may try again after a minute."""
        for _ in range(5):
            self.attempts.check("203.0.113.1")
            self.attempts.wrong("203.0.113.1")
        self.refuse("203.0.113.1")
        self.attempts.check("203.0.113.2")
        self.clock.advance(60)
        self.attempts.check("203.0.113.1")

    def test_of_strangers(self) -> None:
        """Whoever has many addresses is stopped as well."""
        for number in range(MOST_OF_STRANGERS):
            self.attempts.check(f"198.51.100.{number}")
            self.attempts.wrong(f"198.51.100.{number}")
        self.refuse("198.51.100.1")
        self.clock.advance(60)
        self.attempts.check("198.51.100.1")

    def test_operator(self) -> None:
        """Who had the right token lately is not locked out by others."""
        self.attempts.right("203.0.113.7")
        self.attack()
        self.attempts.check("203.0.113.7")
        for _ in range(5):
            self.attempts.wrong("203.0.113.7")
        self.refuse("203.0.113.7")

    def test_known_for_a_while(self) -> None:
        """After its time it is a stranger again."""
        self.attempts.right("203.0.113.7")
        self.clock.advance(3600)
        self.attack()
        self.refuse("203.0.113.7")

    def test_this_machine(self) -> None:
        """It is never refused."""
        self.attack()
        for host in ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "local"):
            for _ in range(10):
                self.attempts.check(host)
                self.attempts.wrong(host)

    def test_bounded(self) -> None:
        """However many addresses there are, some are kept."""
        for number in range(MOST_ADDRESSES + 5):
            host = f"10.0.{number // 256}.{number % 256}"
            self.attempts.wrong(host)
            self.attempts.right(host)
        self.assertEqual(len(self.attempts._wrong), MOST_ADDRESSES)
        self.assertEqual(len(self.attempts._known), MOST_ADDRESSES)

    def test_names(self) -> None:
        """A network of IPv6 is one; an address in either form is the same."""
        one, other = counted_as("2001:db8::1"), counted_as("2001:db8::2:3%eth0")
        self.assertEqual(one, other)
        self.assertNotEqual(one, counted_as("2001:db8:0:1::1"))
        self.assertEqual(counted_as("::ffff:10.0.0.1"), counted_as("10.0.0.1"))
        self.assertEqual(counted_as("x" * 1000), "x" * 64)


class ProxyTests(HttpCase):
    """A proxy on this machine passes on what others send."""

    def status(self, token: str, forwarded: str | None) -> int:
        """Send a token by the proxy."""
        bearer = f"Bearer {token}"
        return self.visits.request(
            "GET", "/api/session", Authorization=bearer, X_Forwarded_For=forwarded
        ).status

    def test_counted(self) -> None:
        """Whom the proxy names is counted, and not whom its client claims to be."""
        for number in range(5):
            wrong = f"10.0.0.{number}, 203.0.113.1"
            self.assertEqual(self.status("wrong", wrong), 401)
        self.assertEqual(self.status("wrong", "203.0.113.1"), 429)
        right = BEARER.partition(" ")[2]
        self.assertEqual(self.status(right, "203.0.113.1"), 429)
        self.assertEqual(self.status(right, "203.0.113.2"), 200)
        self.assertEqual(self.status(right, None), 200)

    def test_two_proxies(self) -> None:
        """A proxy on this machine may be behind another one, whose client counts."""
        for number in range(5):
            wrong = f"10.0.0.{number}, 203.0.113.1, 127.0.0.1"
            self.assertEqual(self.status("wrong", wrong), 401)
        self.assertEqual(self.status("wrong", "203.0.113.1, ::1"), 429)
        for _ in range(6):
            self.assertEqual(self.status("wrong", "127.0.0.1"), 401)

    def test_others_claim(self) -> None:
        """Of another machine, the header says nothing."""
        self.visits.host = "203.0.113.1"
        for number in range(5):
            self.assertEqual(self.status("wrong", f"127.0.0.{number}"), 401)
        self.assertEqual(self.status("wrong", "127.0.0.9"), 429)


class OtherMachineTests(HttpCase):
    """A proxy on another machine, which the settings name."""

    settings = {"proxies": parse_networks("10.0.0.7, 2001:db8:7::/64")}

    def status(self, token: str, forwarded: str | None) -> int:
        """Send a token by the proxy."""
        bearer = f"Bearer {token}"
        return self.visits.request(
            "GET", "/api/session", Authorization=bearer, X_Forwarded_For=forwarded
        ).status

    def test_each_client_counts(self) -> None:
        """One of its clients is refused; another can sign in."""
        self.visits.host = "10.0.0.7"
        for number in range(5):
            wrong = f"198.51.100.{number}, 203.0.113.1:{5000 + number}"
            self.assertEqual(self.status("wrong", wrong), 401)
        self.assertEqual(self.status("wrong", "203.0.113.1"), 429)
        self.assertEqual(self.status(TOKEN, "203.0.113.2"), 200)

    def test_log(self) -> None:
        """The log names the client, too."""
        lines: list[str] = []

        def observe(event: LogEvent) -> None:
            lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.visits.host = "2001:db8:7::9"
        self.status("wrong", "[2001:db8::1]:443")
        self.assertIn(
            "the console refused GET /api/session of 2001:db8::1 (401, signing in):"
            " the token is wrong",
            lines,
        )

    def test_not_named(self) -> None:
        """Others are counted themselves, whatever they say."""
        self.visits.host = "10.0.0.8"
        for number in range(5):
            self.assertEqual(self.status("wrong", f"203.0.113.{number}"), 401)
        self.assertEqual(self.status("wrong", "203.0.113.9"), 429)
