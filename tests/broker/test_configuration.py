"""From a ``broker.conf`` and a command line to a broker's settings."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.configuration import (
    CommandLine,
    complete_config,
    name_servers,
    own_address,
)
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.settings import to_properties
from rocketmq_tw.tls.settings import ServerMode, Tls, TlsOptions


class ConfigurationCase(SynchronousTestCase):
    """Makes settings of texts."""

    def setUp(self) -> None:
        """Forget the environment's name servers."""
        self.patch(os, "environ", {"NAMESRV_ADDR": ""})

    def config(self, text: str = "", **options: Any) -> BrokerConfig:
        """Make the settings of a file and options."""
        path = None
        if text:
            path = self.mktemp()
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return complete_config(CommandLine(config=path, **options))

    def refused(self, text: str = "", **options: Any) -> str:
        """Give the sentence that refuses them."""
        with self.assertRaises((RocketMQError, ValueError)) as caught:
            self.config(text, **options)
        return str(caught.exception)

    def warned(self, text: str) -> list[str]:
        """Give the lines of the log."""
        with capturedLogs() as events:
            self.config(text)
        return [formatEvent(event).partition(": ")[2] for event in events]


class ListenTests(ConfigurationCase):
    """Where a broker listens, and at which address clients find it."""

    def test_ways_to_listen(self) -> None:
        """A port, host and port, or an endpoint string."""
        here = "tcp:10921:interface=127.0.0.1"
        for text, endpoint in (
            ("10921", ""),
            ("127.0.0.1:10921", here),
            (here, here),
            ("tcp:interface=127.0.0.1:port=10921", here),
            ("localhost:10921", here),
            ("[::1]:10921", r"tcp:10921:interface=\:\:1"),
            ("tcp6:10921", "tcp6:10921"),
        ):
            config = self.config(listen=text)
            self.assertEqual((config.listen, config.listen_port), (endpoint, 10921))

    def test_no_way_to_listen(self) -> None:
        """An address that clients cannot be sent to is refused."""
        for text in (
            "99999",
            "tcp:99999",
            "unix:/tmp/x",
            "tcp:x",
            "tcp:",
            "host",
            "-1",
        ):
            self.assertIn(text, self.refused(listen=text))
        self.assertIn(
            "reach a broker by host and port", self.refused(listen="unix:/tmp/x")
        )
        self.assertEqual(self.config(listen="65535").listen_port, 65535)

    def test_of_the_file(self) -> None:
        """The file's endpoint string is checked like the option's."""
        self.assertEqual(self.config("listen=127.0.0.1:10921").listen_port, 10921)
        self.assertIn("unix", self.refused("listen=unix:/tmp/x"))

    def test_bind_address(self) -> None:
        """The file's address to bind is where a bare port is opened, and no other."""
        here = "tcp:10921:interface=127.0.0.1"
        text = "listenPort=10921\nbindAddress=127.0.0.1\n"
        self.assertEqual(self.config(text).listen, here)
        self.assertEqual(self.config(text, listen="10922").listen_port, 10922)
        self.assertEqual(
            self.config(text, listen="10922").listen, here.replace("1:", "2:", 1)
        )
        other = self.config(text, listen="[::1]:10923")
        self.assertEqual(other.listen, r"tcp:10923:interface=\:\:1")
        self.assertEqual(self.config("bindAddress=0.0.0.0").listen, "")
        everywhere = self.config("bindAddress=[::]")
        self.assertEqual(everywhere.listen, r"tcp:10911:interface=\:\:")

    def test_advertised_by_itself(self) -> None:
        """One that listens on a single address sends clients there."""
        for listen, address in (
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]:1", "::1"),
            (r"tcp6:1:interface=\:\:1", "::1"),
        ):
            config = self.config(listen=listen)
            self.assertEqual((config.broker_ip1, config.broker_ip2), (address, address))
        for listen in ("1", "0.0.0.0:1", "tcp:1"):
            address = own_address(socket.AF_INET)
            self.assertEqual(self.config(listen=listen).broker_ip1, address)

    def test_advertised(self) -> None:
        """An address or a name, with the brackets of IPv6 or without."""
        for text, host in (
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("broker-1.example.org", "broker-1.example.org"),
            ("localhost", "localhost"),
        ):
            config = self.config(advertise=text, listen="127.0.0.1:1")
            self.assertEqual((config.broker_ip1, config.broker_ip2), (host, host))
        config = self.config("brokerIP1=10.0.0.1\nbrokerIP2=[2001:db8::1]")
        self.assertEqual(config.broker_ip1, "10.0.0.1")
        self.assertEqual(config.broker_ip2, "2001:db8::1")

    def test_not_advertised(self) -> None:
        """No port, no zone, nothing that is no host."""
        for text in (
            *("10.0.0.1:10911", "10.0.0", "a b", "http://x", "999.1.1.1", "[::1]:1"),
            *("[::1", "fe80::1%eth0"),
        ):
            self.assertIn("without a port", self.refused(advertise=text))

    def route(self, address: str) -> None:
        """Pretend that the only route outwards is from this address."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        class Probe:
            """A socket that finds its way if it is of the right family."""

            def __init__(self, asked: socket.AddressFamily, kind: int) -> None:
                self.can_connect = asked is family

            def __enter__(self) -> Probe:
                return self

            def __exit__(self, *error: object) -> None:
                pass

            def connect(self, to: tuple[str, int]) -> None:
                if not self.can_connect:
                    raise OSError("Network is unreachable")
                self.to = to

            def getsockname(self) -> tuple[str, int]:
                return address, self.to[1]

        self.patch(socket, "socket", Probe)

    def test_own_address(self) -> None:
        """It is that of the route outwards, of a family that is listened on."""
        ipv4, ipv6, loopback = "10.0.0.7", "2001:db8::7", "127.0.0.1"
        for route, listen, address in (
            (ipv4, "1", ipv4),
            (ipv4, "0.0.0.0:1", ipv4),
            (ipv4, "tcp6:1", ipv4),
            (ipv6, "1", loopback),
            (ipv6, "0.0.0.0:1", loopback),
            (ipv6, "tcp6:1", ipv6),
            (ipv6, "[::]:1", ipv6),
        ):
            self.route(route)
            self.assertEqual(self.config(listen=listen).broker_ip1, address)

    def test_zone(self) -> None:
        """A link-local address is of no use to clients, who are on other links."""
        address = own_address(socket.AF_INET, socket.AF_INET6)
        self.assertEqual(self.config(listen="[fe80::1%lo]:1").broker_ip1, address)


class FileTests(ConfigurationCase):
    """What a ``broker.conf`` says."""

    def test_nothing(self) -> None:
        """Everything has a default that works."""
        config = self.config()
        self.assertEqual((config.listen_port, config.listen), (10911, ""))
        self.assertEqual(config.store_path_root_dir, os.path.abspath("rocketmq-data"))
        self.assertTrue(config.broker_name)
        self.assertTrue(config.broker_ip1)
        self.assertEqual(config.broker_ip2, config.broker_ip1)

    def test_options_come_first(self) -> None:
        """An option beats the file."""
        text = "listenPort=1\nbrokerName=file\nstorePathRootDir=/file\n"
        config = self.config(text, name="option", listen="2", data="x")
        self.assertEqual((config.listen_port, config.broker_name), (2, "option"))
        self.assertEqual(config.store_path_root_dir, os.path.abspath("x"))
        config = self.config(text)
        self.assertEqual((config.listen_port, config.broker_name), (1, "file"))
        self.assertEqual(config.store_path_root_dir, "/file")

    def test_in_memory(self) -> None:
        """Messages in memory, the rest in the folder that is given for it."""
        config = self.config(memory_folder="/m")
        self.assertEqual(config.store_path_root_dir, "/m")
        self.assertEqual(config.memory_store_size, 256 << 20)
        config = self.config("memoryStoreSize=1000000", memory_folder="/m")
        self.assertEqual(config.memory_store_size, 1000000)

    def test_bad_values(self) -> None:
        """Key, value and what was expected."""
        for text, said in (
            ("listenPort=x", 'listenPort is "x"; expected a whole number'),
            ("brokerPermission=8", 'brokerPermission is "8"; expected a whole number'),
            ("traceOn=yes", 'traceOn is "yes"; expected true or false'),
            ("flushDiskType=NEVER", 'flushDiskType is "NEVER"; expected'),
            ("messageDelayLevel=1s 2x", 'messageDelayLevel: "2x" is not a delay'),
            ("messageDelayLevel=", "there are no delay levels"),
            ("namesrvAddr=nowhere", '"nowhere" is not host:port'),
            ("brokerIP1=10.0.0.999", 'brokerIP1 is "10.0.0.999"; expected an address'),
            ("brokerIP2=a:b", 'brokerIP2 is "a:b"; expected an address'),
        ):
            self.assertIn(said, self.refused(text))
        with self.assertRaises(RocketMQError) as caught:
            complete_config(CommandLine(config="no-such-file"))
        self.assertIn("cannot read the settings", str(caught.exception))

    def test_names(self) -> None:
        """What could be no topic's name is no broker's or cluster's."""
        long = "x" * 128
        for name in ("a b", "a/b", "a\\b", "a\tb", "a\x01b", "", " ", "b\u00e9", long):
            for key in ("brokerName", "brokerClusterName"):
                # As such files spell a backslash, and what is no text.
                escaped = name.replace("\\", "\\\\").replace("\x01", "\\u0001")
                text = f"{key}={escaped}"
                self.assertIn(f"{key} is", self.refused(text))
            self.assertIn("--name is", self.refused(name=name))
        for name in ("a", "broker-a.example.org_1", "x" * 127):
            self.assertEqual(self.config(name=name).broker_name, name)
            config = self.config(f"brokerName={name}\nbrokerClusterName={name}")
            self.assertEqual(config.broker_name, name)
            self.assertEqual(config.broker_cluster_name, name)

    def test_host_name(self) -> None:
        """The host's name stands in, and is checked like any other."""
        self.patch(socket, "gethostname", lambda: "my host")
        self.assertIn('brokerName is "my host"', self.refused())

    def test_commit_log_elsewhere(self) -> None:
        """A commit log that would be left behind is refused; the usual place is not."""
        text = "storePathRootDir=/srv/mq\nstorePathCommitLog="
        self.assertEqual(
            self.refused(text + "/disk2/commitlog"),
            'storePathCommitLog is "/disk2/commitlog"; expected /srv/mq/commitlog,'
            " as all files are under storePathRootDir",
        )
        self.assertEqual(self.warned(text + "/srv/mq/./commitlog/"), [])

    def test_name_servers(self) -> None:
        """From the option, else from the environment."""
        for text in ("a:1;b:2", "unix:/run/mq", "a:1;tls:b:2"):
            self.assertEqual(self.config(namesrv=text).namesrv_addr, text)
        self.assertEqual(name_servers(" a:1 ;; b:2;"), ["a:1", "b:2"])
        os.environ["NAMESRV_ADDR"] = "nowhere"
        self.assertIn("nowhere", self.refused())

    def test_endpoint_of_tls(self) -> None:
        """An endpoint string with TLS of its own has a port like any other."""
        text = "ssl:10921:interface=127.0.0.1:privateKey=/k/a:certKey=/k/b"
        config = self.config(listen=text)
        self.assertEqual((config.listen, config.listen_port), (text, 10921))
        self.assertIn("expected a port", self.refused(listen="unix:/run/mq"))

    def test_tls(self) -> None:
        """Its settings come from the file and from options, and are shown nowhere."""
        text = (
            "tls.server.mode=enforcing\ntls.server.keyPassword=hush\nuseTLS=true\n"
            "maxTlsHandshakes=7\n"
        )
        config = self.config(text, tls=TlsOptions(cert="/k/server.pem"))
        self.assertIs(config.tls.server.mode, ServerMode.ENFORCING)
        self.assertEqual(config.tls.server.key_password, "hush")
        self.assertEqual(config.tls.client, Tls())
        self.assertEqual(config.max_tls_handshakes, 7)
        self.assertNotIn(b"hush", to_properties(config))
        self.assertNotIn("hush", repr(config))
        self.assertIn("there is no certificate", self.refused(text))


class UnsupportedTests(ConfigurationCase):
    """Settings that this broker does not act on."""

    def test_refused(self) -> None:
        """Where somebody relies on one, that is an error."""
        said = self.refused("enableControllerMode=true")
        expected = "false: there are no controllers yet"
        self.assertEqual(said, f'enableControllerMode is "true"; expected {expected}')

    def test_contradicting_roles(self) -> None:
        """A slave needs an id of its own."""
        said = self.refused("brokerRole=SLAVE")
        self.assertIn('brokerId is "0"; expected a number above 0', said)

    def test_warned_of(self) -> None:
        """One line names the others; what is followed here is not among them."""
        text = "warmMapedFileEnable=true\nzzz=1\nbindAddress=0.0.0.0\nbrokerId=0\n"
        expected = "these settings have no effect here: warmMapedFileEnable, zzz"
        self.assertEqual(self.warned(text), [expected])
