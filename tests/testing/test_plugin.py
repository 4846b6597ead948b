"""The plugin for pytest, as pytest uses it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.testing import plugin

ROOT = Path(plugin.__file__).parents[2]

CASES = """
import pytest

pytestmark = pytest.mark.rocketmq(brokers=3, name_servers=2)


@pytest.mark.rocketmq(brokers=["b"])
def test_options(rocketmq_cluster):
    assert list(rocketmq_cluster.brokers) == ["b"]
    assert len(rocketmq_cluster.name_servers) == 2
    rocketmq_cluster.create_topic("T")


def test_new_one(rocketmq_cluster):
    assert len(rocketmq_cluster.brokers) == 3
    assert rocketmq_cluster.messages("T") == []
"""


class PluginTests(SynchronousTestCase):
    """In a pytest of its own."""

    def test_fixture(self) -> None:
        """Every test has a cluster of its own, with the options of its markers."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "test_cases.py").write_text(CASES)
        options = [
            "-q",
            "--strict-markers",
            "-p",
            plugin.__name__,
            "-p",
            "no:cacheprovider",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "test_cases.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT)},
            timeout=60,
        )
        self.assertIn("2 passed", done.stdout, done.stdout + done.stderr)

    def test_imports_nothing(self) -> None:
        """Whoever has the package installed but does not use it pays for no import."""
        code = (
            f"import {plugin.__name__}, sys;"
            "print([n for n in sys.modules if n.startswith('twisted')"
            " or n.startswith('rocketmq_tw') and n.count('.') > 1])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT)},
            timeout=60,
        )
        self.assertEqual(done.stdout, f"['{plugin.__name__}']\n", done.stderr)

    def test_entry_point(self) -> None:
        """pytest finds it, under the name of the module: so ``-p`` works as well."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        ((name, module),) = project["entry-points"]["pytest11"].items()
        self.assertEqual((name, import_module(module)), (plugin.__name__, plugin))
