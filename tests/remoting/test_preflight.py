"""What is checked of ports before a program becomes a daemon."""

from __future__ import annotations

import socket
from threading import Event
from typing import Any
from unittest import SkipTest

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.listen_errors import CannotListen, NameUnresolved, PortTaken
from rocketmq_tw.remoting.preflight import check_port, resolve_interface, will_chroot

_V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 1))
_V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 1, 0, 0))


class ResolveTests(SynchronousTestCase):
    """An address takes the place of a host name."""

    def resolved(self, endpoint: str, *found: Any) -> str:
        """Resolve with a look-up that finds these."""
        return resolve_interface(endpoint, lambda *args, **more: list(found))

    def test_name(self) -> None:
        """The name's address is listened on, IPv4 before IPv6."""
        text = "tcp:9876:interface=mq.example:backlog=5"
        changed = "tcp:9876:interface=10.0.0.1:backlog=5"
        self.assertEqual(self.resolved(text, _V6, _V4), changed)
        changed = r"tcp:9876:interface=2001\:db8\:\:1:backlog=5"
        self.assertEqual(self.resolved(text, _V6), changed)

    def test_no_name(self) -> None:
        """Addresses, ports and sockets are not looked up."""
        for text in (
            "tcp:9876",
            "tcp:9876:interface=127.0.0.1",
            r"tcp:9876:interface=fe80\:\:1%eth0",
            "unix:/run/mq",
        ):
            self.assertEqual(self.resolved(text), text)

    def test_unresolved(self) -> None:
        """The sentence has the name, and why it has no address."""
        for error in (socket.gaierror(-2, "Name not known"), UnicodeError("label")):

            def fail(*args: Any, error: Exception = error, **more: Any) -> list[Any]:
                raise error

            text = "tcp:9876:interface=foo.example"
            raised = self.assertRaises(CannotListen, resolve_interface, text, fail)
            said = "cannot listen on port 9876 of foo.example: "
            self.assertTrue(str(raised).startswith(said))
        raised = self.assertRaises(
            NameUnresolved,
            resolve_interface,
            "tcp:1:interface=-.example",
            lambda *args, **more: (_ for _ in ()).throw(socket.gaierror(-2, "x")),
        )
        self.assertIn("the name does not resolve: x", str(raised))

    def test_no_response(self) -> None:
        """A look-up that takes too long is not waited for."""
        forever = Event()
        self.addCleanup(forever.set)
        text = "tcp:9876:interface=foo.example"

        def wait(*args: Any, **more: Any) -> list[Any]:
            forever.wait()
            return []

        raised = self.assertRaises(
            NameUnresolved, resolve_interface, text, wait, limit=0.001
        )
        self.assertIn("no response from DNS", str(raised))


class PortTests(SynchronousTestCase):
    """Ports are tried, and not kept."""

    def setUp(self) -> None:
        """Take a port."""
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.taken.close)
        self.endpoint = f"tcp:{self.taken.getsockname()[1]}:interface=127.0.0.1"

    def test_taken(self) -> None:
        """Another program's port is refused."""
        self.assertRaises(PortTaken, check_port, self.endpoint)

    def test_taken_on_ipv6(self) -> None:
        """So is one on an IPv6 address."""
        try:
            taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError as error:
            raise SkipTest(f"no IPv6 here: {error}") from None
        with taken:
            port = taken.getsockname()[1]
            self.assertRaises(PortTaken, check_port, rf"tcp:{port}:interface=\:\:1")

    def test_free(self) -> None:
        """A free port passes, and is free afterwards."""
        self.taken.close()
        check_port(self.endpoint)
        check_port(self.endpoint)

    def test_no_address_of_this_host(self) -> None:
        """An address of another host is refused with the system's reason."""
        raised = self.assertRaises(
            CannotListen, check_port, "tcp:9876:interface=203.0.113.9"
        )
        self.assertIn("port 9876 of 203.0.113.9: Cannot assign", str(raised))

    def test_nothing_to_try(self) -> None:
        """A port that the system will choose, and sockets, pass."""
        check_port("tcp:0")
        check_port("unix:/nowhere/mq")


class ChrootTests(SynchronousTestCase):
    """Whether paths will mean something else."""

    def test_chroot(self) -> None:
        """The options of ``twistd`` say it; a program without them changes nothing."""
        options = usage.Options()
        self.assertFalse(will_chroot(options))
        for path, expected in ((None, False), ("/srv", True)):
            options.parent = {"chroot": path}  # type: ignore[attr-defined]
            self.assertEqual(will_chroot(options), expected)
