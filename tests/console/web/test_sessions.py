"""Sessions, and attempts to begin one."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.web.sessions import MOST, Sessions

TOKEN = "a-token-for-tests"


class SessionTests(SynchronousTestCase):
    """How long, and how many."""

    def setUp(self) -> None:
        """Let nobody have signed in."""
        self.clock = Clock()
        self.sessions = Sessions(self.clock, TOKEN, 3600.0)

    def test_lifetime(self) -> None:
        """A session ends after its time."""
        session = self.sessions.sign_in(TOKEN, "10.0.0.1")
        self.clock.advance(3599)
        self.assertIs(self.sessions.find(session.cookie, session.key), session)
        self.clock.advance(1)
        self.assertIsNone(self.sessions.find(session.cookie, session.key))

    def test_both_secrets(self) -> None:
        """The key of another session does not help."""
        one = self.sessions.sign_in(TOKEN, "10.0.0.1")
        other = self.sessions.sign_in(TOKEN, "10.0.0.1")
        self.assertIsNone(self.sessions.find(one.cookie, other.key))
        self.assertIsNone(self.sessions.find(one.cookie, ""))
        self.assertIsNone(self.sessions.find("", one.key))

    def test_many(self) -> None:
        """One too many ends the oldest."""
        every = [self.sessions.sign_in(TOKEN, "10.0.0.1") for _ in range(MOST + 1)]
        self.assertIsNone(self.sessions.find(every[0].cookie, every[0].key))
        for each in every[1:]:
            self.assertIs(self.sessions.find(each.cookie, each.key), each)

    def test_not_ascii(self) -> None:
        """A token of other characters is wrong, and no more than that."""
        error = self.assertRaises(HttpError, self.sessions.sign_in, "tökén", "h")
        self.assertEqual(error.status, 401)
