"""The sentences that say why a port could not be opened."""

from __future__ import annotations

import errno
import socket

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.listen_errors import (
    CannotListen,
    NameUnresolved,
    PortTaken,
    cannot_listen,
)


class SentenceTests(SynchronousTestCase):
    """What an operator reads."""

    def test_described(self) -> None:
        """Ports are named in the words of every kind, sockets by their string."""
        for endpoint, words in (
            ("tcp6:9876", "port 9876"),
            ("ssl:9876:interface=10.0.0.1", "port 9876 of 10.0.0.1"),
            ("tcp:9876:backlog=5:interface=10.0.0.1", "port 9876 of 10.0.0.1"),
            ("unix:/run/mq", "unix:/run/mq"),
        ):
            self.assertEqual(str(PortTaken(endpoint, "x")), f"{words} is in use: x")

    def test_reasons(self) -> None:
        """The error of the system decides the kind, and gives the reason."""
        for error, kind, why in (
            (OSError(errno.EADDRINUSE, "no"), PortTaken, "another program listens"),
            (OSError(errno.EACCES, "no"), CannotListen, "Permission denied"),
            (socket.gaierror(-2, "no name"), NameUnresolved, "resolve: no name"),
            (ValueError("not so"), CannotListen, "not so"),
        ):
            found = cannot_listen("tcp:80", error)
            self.assertIs(type(found), kind)
            self.assertIn(why, str(found))
