"""The services of systemd and the container start programs with options they have."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import tap
from rocketmq_tw.broker import tap as broker_tap
from rocketmq_tw.namesrv import tap as namesrv_tap

ROOT = Path(__file__).parents[2]
OPERATE = ROOT / "doc" / "operate"
PROGRAMS: dict[str, Any] = {
    "rocketmq": tap.Options,
    "rocketmq-broker": broker_tap.Options,
    "rocketmq-namesrv": namesrv_tap.Options,
}


def settings(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit."""
    found: dict[str, list[str]] = {}
    for line in (OPERATE / name).read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


class ServiceCase(SynchronousTestCase):
    """Reads command lines."""

    def parse(self, words: list[str]) -> usage.Options:
        """Let a program parse its options, without a file of settings."""
        name, *rest = words
        if "--config" in rest:
            at = rest.index("--config")
            del rest[at : at + 2]
        options: usage.Options = PROGRAMS[name]()
        options.parseOptions(rest)
        return options


class UnitTests(ServiceCase):
    """The units of systemd."""

    def test_command_lines(self) -> None:
        """twistd stays in the foreground, and the programs know their options."""
        for name, data in (
            ("rocketmq-broker", "broker"),
            ("rocketmq-namesrv", "namesrv"),
        ):
            unit = settings(f"{name}.service")
            [line] = unit["ExecStart"]
            twistd, *words = shlex.split(line)
            self.assertEqual(Path(twistd).name, "twistd")
            self.assertEqual(words[:2], ["-n", "--pidfile="])
            options = self.parse(words[2:])
            folder = f"/var/lib/{unit['StateDirectory'][0]}/{data}"
            self.assertEqual(options["data"], folder)

    def test_what_the_programs_do(self) -> None:
        """They report, are reloaded by SIGHUP, and have time to stop."""
        for name in ("rocketmq-broker.service", "rocketmq-namesrv.service"):
            unit = settings(name)
            self.assertEqual(unit["Type"], ["notify"])
            self.assertEqual(unit["ExecReload"], ["/bin/kill -HUP $MAINPID"])
            self.assertEqual(unit["NoNewPrivileges"], ["yes"])
            self.assertNotIn("root", unit["User"])

    def test_tls(self) -> None:
        """cffi may allocate the callbacks of OpenSSL; else nothing with TLS starts."""
        for name in ("rocketmq-broker.service", "rocketmq-namesrv.service"):
            self.assertNotIn("MemoryDenyWriteExecute", settings(name))

    def test_mistakes(self) -> None:
        """A unit that fails at each start fails for good before its window ends."""
        for name in ("rocketmq-broker.service", "rocketmq-namesrv.service"):
            unit = settings(name)
            [starts], [rest] = unit["StartLimitBurst"], unit["RestartSec"]
            self.assertEqual(unit["StartLimitIntervalSec"], ["5min"])
            self.assertLess(int(starts) * (int(rest) + 10), 300)


class ContainerTests(ServiceCase):
    """The image."""

    def words(self, key: str) -> list[str]:
        """Return the words of an instruction, the last one with that name."""
        text = (OPERATE / "Containerfile").read_text()
        [*_, line] = re.findall(rf"^ *{key} (\[.*\])$", text, re.MULTILINE)
        words: list[str] = json.loads(line)
        return words

    def test_command_line(self) -> None:
        """The default words are options of a program, in the foreground."""
        self.assertEqual(self.words("ENTRYPOINT"), ["twistd", "-n", "--pidfile="])
        options: Any = self.parse(self.words("CMD"))
        self.assertEqual(options.settings.listen_port, 10911)
        self.assertTrue(options.settings.metrics.is_on)

    def test_health_check(self) -> None:
        """It reads the port on which metrics are served."""
        text = (OPERATE / "Containerfile").read_text()
        options: Any = self.parse(self.words("CMD"))
        listen = options.settings.metrics.listen
        port = re.search(r"tcp:(\d+):interface=127", listen)
        assert port is not None
        self.assertIn(f"http://127.0.0.1:{port[1]}/metrics", text)

    def test_what_is_copied(self) -> None:
        """All that the package is made of, and nothing that comes and goes."""
        lines = (ROOT / ".dockerignore").read_text().split()
        self.assertEqual(lines[0], "*")
        for name in ("pyproject.toml", "setup.py", "README.rst", "LICENSE", "twisted"):
            self.assertIn(f"!{name}", lines)
            self.assertTrue((ROOT / name).exists())
