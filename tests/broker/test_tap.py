"""The options of ``twistd rocketmq-broker``."""

from __future__ import annotations

import os
from typing import Any

from twisted.application.service import IService
from twisted.internet.testing import MemoryReactor
from twisted.logger import capturedLogs, formatEvent
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.tap import Options, clean_up, makeService


class OptionsTests(SynchronousTestCase):
    """What is made of a command line."""

    def setUp(self) -> None:
        """Forget the environment's name servers."""
        self.patch(os, "environ", {"NAMESRV_ADDR": ""})

    def options(self, *words: str) -> BrokerConfig:
        """Read a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options.settings

    def file(self, text: str) -> str:
        """Make a file of settings."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(text)
        return path

    def refused(self, *words: str) -> str:
        """Give the sentence that refuses a command line."""
        return str(self.assertRaises(UsageError, self.options, *words))

    def test_nothing_said(self) -> None:
        """Everything has a default that works."""
        config = self.options()
        self.assertEqual((config.listen_port, config.listen), (10911, ""))
        self.assertEqual(config.store_path_root_dir, os.path.abspath("rocketmq-data"))
        self.assertTrue(config.broker_name)
        self.assertTrue(config.broker_ip1)
        self.assertEqual(config.broker_ip2, config.broker_ip1)

    def test_ways_to_listen(self) -> None:
        """A port, host and port, or an endpoint string."""
        here = "tcp:10921:interface=127.0.0.1"
        for text, endpoint in (
            ("10921", ""),
            ("127.0.0.1:10921", here),
            (here, here),
            ("[::1]:10921", r"tcp:10921:interface=\:\:1"),
        ):
            config = self.options("-p", text)
            self.assertEqual((config.listen, config.listen_port), (endpoint, 10921))

    def test_no_way_to_listen(self) -> None:
        """What clients could not be told is refused with what was expected."""
        texts = ("99999", "tcp:99999", "unix:/tmp/x", "tcp:x", "tcp:", "host", "-1")
        for text in texts:
            self.assertIn(text, self.refused("-p", text))

    def test_options_come_first(self) -> None:
        """An option beats the file."""
        path = self.file("listenPort=1\nbrokerName=file\nstorePathRootDir=/file\n")
        config = self.options("-c", path, "--name", "option", "-p", "2", "-d", "x")
        self.assertEqual((config.listen_port, config.broker_name), (2, "option"))
        self.assertEqual(config.store_path_root_dir, os.path.abspath("x"))
        config = self.options("-c", path)
        self.assertEqual((config.listen_port, config.broker_name), (1, "file"))
        self.assertEqual(config.store_path_root_dir, "/file")

    def test_in_memory(self) -> None:
        """Messages in memory, the rest in a folder that is removed at the end."""
        options = Options()
        options.parseOptions(["--memory"])
        folder = options.settings.store_path_root_dir
        self.assertEqual(options.settings.memory_store_size, 256 << 20)
        self.assertTrue(os.path.isdir(folder))
        reactor = MemoryReactor()
        clean_up(reactor, options)
        [(function, _, _)] = reactor.triggers["after"]["shutdown"]
        function()
        self.assertFalse(os.path.exists(folder))
        clean_up(reactor, Options())
        path = self.file("memoryStoreSize=1000000")
        self.assertEqual(self.options("-c", path).memory_store_size, 1000000)
        self.assertIn("--data", self.refused("--memory", "--data", "x"))

    def test_listen_of_the_file(self) -> None:
        """The file's endpoint string is checked like the option's."""
        config = self.options("-c", self.file("listen=127.0.0.1:10921"))
        self.assertEqual(config.listen_port, 10921)
        self.assertIn("unix", self.refused("-c", self.file("listen=unix:/tmp/x")))

    def test_unknown_keys(self) -> None:
        """One line names all that there is no use for."""
        path = self.file("zzz=1\nlistenPort=1\ndeleteWhenever=04\n")
        with capturedLogs() as logs:
            self.options("-c", path)
        (line,) = map(formatEvent, logs)
        expected = f"{path}: no such setting here, ignored: deleteWhenever, zzz"
        self.assertEqual(line, expected)

    def test_bad_values(self) -> None:
        """Key, value and what was expected."""
        for text, said in (
            ("listenPort=x", 'listenPort is "x"; expected a whole number'),
            ("brokerPermission=8", 'brokerPermission is "8"; expected a whole number'),
            ("traceOn=yes", 'traceOn is "yes"; expected true or false'),
            ("flushDiskType=NEVER", 'flushDiskType is "NEVER"; expected'),
            ("brokerRole=BOSS", 'brokerRole is "BOSS"; expected ASYNC_MASTER or'),
            ("messageDelayLevel=1s 2x", 'messageDelayLevel: "2x" is no delay'),
            ("messageDelayLevel=", "there are no delay levels"),
            ("namesrvAddr=nowhere", '"nowhere" is not host:port'),
            ("brokerIP1=10.0.0.999", 'brokerIP1 is "10.0.0.999"; expected an address'),
            ("brokerIP2=a:b", 'brokerIP2 is "a:b"; expected an address'),
        ):
            self.assertIn(said, self.refused("-c", self.file(text)))
        self.assertIn("cannot read the settings", self.refused("-c", "no-such-file"))

    def test_not_offered(self) -> None:
        """What somebody would rely on is refused with the reason, not passed over."""
        for text, said in (
            ("brokerRole=SLAVE", "cannot be a slave yet"),
            ("brokerId=1", "expected 0: this broker cannot be a slave yet"),
            ("aclEnable=true", "does not check yet who asks"),
            ("authenticationEnabled=true", "does not check yet who asks"),
            ("enableDLegerCommitLog=TRUE", "there is no DLedger"),
        ):
            self.assertIn(said, self.refused("-c", self.file(text)))

    def test_switched_off(self) -> None:
        """The same settings, switched off, are not worth a word."""
        path = self.file("aclEnable=False\nbrokerId=0\nenableControllerMode=false\n")
        with capturedLogs() as logs:
            self.options("-c", path)
        self.assertEqual(logs, [])

    def test_advertise(self) -> None:
        """What clients are told is an address or a name."""
        for host in ("10.0.0.1", "::1", "broker-1.example.org", "localhost"):
            self.assertEqual(self.options("--advertise", host).broker_ip1, host)
        for host in ("10.0.0.1:10911", "10.0.0", "a b", "http://x", "999.1.1.1"):
            self.assertIn("without a port", self.refused("--advertise", host))

    def test_name_servers(self) -> None:
        """From the option, else from the environment."""
        self.assertEqual(self.options("-n", "a:1;b:2").namesrv_addr, "a:1;b:2")
        os.environ["NAMESRV_ADDR"] = "nowhere"
        self.assertIn("nowhere", self.refused())

    def test_help(self) -> None:
        """The help names every option with its default, and how to begin."""
        text = str(Options())
        said = ("10911", "./rocketmq-data", "the host's name", "twistd -n rocketmq")
        for words in said:
            self.assertIn(words, " ".join(text.split()))

    def test_service(self) -> None:
        """A service is made; nothing is touched before it starts."""
        folder = self.mktemp()
        options = Options()
        options.parseOptions(["-d", folder, "-p", "0"])
        with capturedLogs() as logs:
            service: Any = makeService(options)
        self.assertTrue(IService.providedBy(service))
        self.assertFalse(os.path.exists(folder))
        self.assertIn("no name server is given", formatEvent(logs[0]))
