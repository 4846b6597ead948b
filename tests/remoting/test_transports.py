"""Importing Twisted's transports without TLS."""

from __future__ import annotations

import subprocess
import sys

import msgspec
from twisted.internet import tcp
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.remoting.transports import import_transports, mentions_tls


def run(program: str) -> str:
    """Run a program in an interpreter of its own, and return what it printed."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class ImportTests(SynchronousTestCase):
    """What is imported, and what is not."""

    def test_without_tls(self) -> None:
        """The TLS library stays out, and can be imported later."""
        said = run(
            "import sys\n"
            "from rocketmq_tw.remoting.transports import import_transports\n"
            "import_transports(with_tls=False)\n"
            "from twisted.internet import endpoints, reactor, tcp\n"
            "print('OpenSSL' in sys.modules, 'cryptography' in sys.modules)\n"
            "from twisted.protocols.tls import TLSMemoryBIOFactory\n"
            "print('OpenSSL' in sys.modules)\n"
        )
        self.assertEqual(said.split(), ["False", "False", "True"])

    def test_with_tls(self) -> None:
        """Endpoints of TLS can be used."""
        said = run(
            "from rocketmq_tw.remoting.transports import import_transports\n"
            "import_transports(with_tls=True)\n"
            "from twisted.internet import endpoints, tcp\n"
            "print(endpoints.TLSMemoryBIOFactory.__name__)\n"
            "print(hasattr(tcp.Connection, 'startTLS'))\n"
        )
        self.assertEqual(said.split(), ["TLSMemoryBIOFactory", "True"])

    def test_twice(self) -> None:
        """A process that has imported them keeps what it has."""
        import_transports(with_tls=False)
        self.assertTrue(hasattr(tcp.Connection, "startTLS"))


class Settings(msgspec.Struct):
    """Settings of a program that has some of TLS."""

    address: str = ""
    tls_key_path: str = ""
    test_tls: bool = True


class MentionTests(SynchronousTestCase):
    """Which settings may mean that TLS is used."""

    def test_defaults(self) -> None:
        """Nothing does, of those that nobody has changed."""
        for config in (BrokerConfig(), NamesrvConfig(), Settings()):
            self.assertFalse(mentions_tls([config], ["ns1:9876", "unix:/run/mq"]))

    def test_setting(self) -> None:
        """One of TLS that is changed, whatever it is changed to."""
        for config in (Settings(tls_key_path="key.pem"), Settings(test_tls=False)):
            self.assertTrue(mentions_tls([Settings(), config], []))

    def test_endpoint(self) -> None:
        """An endpoint string in any setting or address, alone or among others."""
        for text in ("tls:ns1:9876", "10.0.0.1:9876;ssl:ns2:9876:timeout=3"):
            self.assertTrue(mentions_tls([Settings(address=text)], []))
            self.assertTrue(mentions_tls([Settings()], ["ns1:9876", text]))
