"""The settings of the console, from a file and from a command line."""

from __future__ import annotations

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import tap as all_in_one
from rocketmq_tw.broker import tap
from rocketmq_tw.broker.console_settings import ConsoleSettings, take_console
from rocketmq_tw.settings import BadSetting


class ConsoleSettingsTests(SynchronousTestCase):
    """What is taken, and what is refused."""

    def test_none(self) -> None:
        """There is no console unless somebody asks for one."""
        self.assertEqual(take_console({}, None), ConsoleSettings())
        self.assertEqual(ConsoleSettings().console, "")

    def test_taken(self) -> None:
        """Its keys are removed from the others; the command line overrides the file."""
        values = {
            "console": "8080",
            "consoleHosts": "mq.example",
            "maxConsoleTails": "3",
            "other": "1",
        }
        found = take_console(values, "9090")
        self.assertEqual(values, {"other": "1"})
        self.assertEqual((found.console, found.console_hosts), ("9090", "mq.example"))
        self.assertEqual(found.max_console_tails, 3)

    def test_refused(self) -> None:
        """The error names the key."""
        for values in (
            {"maxConsoleConnections": "0"},
            {"consoleAllowPlain": "maybe"},
            {"console": "true"},
            {"consoleTrustedProxies": "10.0.0.7, proxy"},
        ):
            error = self.assertRaises(BadSetting, take_console, dict(values), None)
            self.assertIn(next(iter(values)), str(error))

    def test_proxies(self) -> None:
        """A program ends with the entry that is no address of a proxy."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write("console = 8080\nconsoleTrustedProxies = 10.0.0.7, proxy\n")
        for program in (tap, all_in_one):
            options = program.Options()
            words = ["--config", path]
            error = self.assertRaises(UsageError, options.parseOptions, words)
            self.assertIn('consoleTrustedProxies is "10.0.0.7, proxy"', str(error))
            self.assertIn('"proxy" is neither', str(error))

    def test_programs(self) -> None:
        """Both programs have the option."""
        for program in (tap, all_in_one):
            options = program.Options()
            options.parseOptions(["--console", "8080"])
            self.assertEqual(options.settings.console.console, "8080")
            options = program.Options()
            self.assertRaises(UsageError, options.parseOptions, ["--console", "true"])
