"""The options of logs."""

from __future__ import annotations

from typing import Any

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker import tap as broker_tap
from rocketmq_tw.log_settings import LogSettings, check_logs, program_logs
from rocketmq_tw.namesrv import tap as namesrv_tap
from rocketmq_tw.tap import Options


def settings(level: str | None = None, is_json: int = 0) -> LogSettings:
    """Read two options."""
    return LogSettings.of({"log-level": level, "log-json": is_json})


class LogSettingsTests(SynchronousTestCase):
    """What they say."""

    def test_default(self) -> None:
        """Without options the log is that of twistd."""
        self.assertTrue(settings().is_default)
        self.assertTrue(settings("info").is_default)
        self.assertFalse(settings("warn").is_default)
        self.assertFalse(settings(is_json=1).is_default)

    def test_levels(self) -> None:
        """One for all, and others for modules."""
        made = settings("WARN, rocketmq_tw.remoting=debug,twisted=error")
        self.assertEqual(made.level, "warn")
        expected = (("rocketmq_tw.remoting", "debug"), ("twisted", "error"))
        self.assertEqual(made.levels, expected)
        self.assertEqual(settings("twisted=error").level, "info")

    def test_refused(self) -> None:
        """The error names the option, what was wrong with it, and what is right."""
        for text in ("loud", "twisted=", "twisted=loud", "a=b=c", "=info"):
            error = self.assertRaises(ValueError, settings, text)
            self.assertIn(f'--log-level: "{text}"; expected one of debug', str(error))

    def test_programs(self) -> None:
        """All three have them, and refuse a wrong level as a usage error."""
        for kind in (Options, broker_tap.Options, namesrv_tap.Options):
            options = kind()
            options.parseOptions(["--log-json", "--log-level=error"])
            expected = LogSettings(is_json=True, level="error")
            self.assertEqual(LogSettings.of(options), expected)
            self.assertRaises(
                usage.UsageError, kind().parseOptions, ["--log-level=loud"]
            )

    def test_left_to_twistd(self) -> None:
        """In the foreground without options, and where something else runs it."""
        options: Any = namesrv_tap.Options()
        options.parseOptions(["--log-json"])
        reactor: Any = None
        self.assertIsNone(program_logs(reactor, options))
        options = namesrv_tap.Options()
        options.parseOptions([])
        options.parent = {"nodaemon": 1, "logfile": None}
        self.assertIsNone(program_logs(reactor, options))
        options.parent = {"nodaemon": 1, "logfile": "x.log"}
        self.assertIsNotNone(program_logs(reactor, options))
        check_logs(options)
