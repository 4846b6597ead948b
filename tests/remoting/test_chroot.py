"""Programs in a new root directory, which has no Python tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.remoting.chroot import UnusableRoot, check_root, server_modules
from rocketmq_tw.remoting.preflight import prepare_chroot


class RootTests(SynchronousTestCase):
    """What the new root has to have."""

    def test_missing(self) -> None:
        """What lacks is named before the program becomes a daemon."""
        root = Path(self.mktemp())
        root.mkdir()
        error = self.assertRaises(
            UnusableRoot, check_root, str(root), changes_user=True
        )
        self.assertIn(f"{root} (--chroot) lacks dev/null and etc/passwd", str(error))
        (root / "dev").mkdir()
        (root / "dev/null").touch()
        check_root(str(root), changes_user=False)
        error = self.assertRaises(
            UnusableRoot, check_root, str(root), changes_user=True
        )
        self.assertIn("lacks etc/passwd,", str(error))

    def test_prepare(self) -> None:
        """It is checked only if the root is going to change."""
        options = usage.Options()
        prepare_chroot(options)
        options.parent = {"chroot": self.mktemp()}  # type: ignore[attr-defined]
        self.assertRaises(UnusableRoot, prepare_chroot, options)


#: Imports what servers use, and prints what of it is found no more without files.
PROGRAM = """
import sys
import rocketmq_tw.tap
from rocketmq_tw.remoting.chroot import import_servers, server_modules
import_servers()
names = list(server_modules())
sys.path[:] = []
sys.path_importer_cache.clear()
print(*(name for name in names if name not in sys.modules))
for name in ("rocketmq_tw.admin.cluster", "rocketmq_tw.console.api.topics"):
    __import__(name)
"caf\\xe9".encode("ascii", "replace")
"example.com".encode("idna")
"""


class ImportTests(SynchronousTestCase):
    """What is imported before."""

    def test_modules(self) -> None:
        """All that servers use, and nothing of the command line or of tests."""
        names = set(server_modules())
        self.assertIn("rocketmq_tw.console.api.topics", names)
        self.assertIn("rocketmq_tw.broker.features", names)
        for name in names:
            self.assertNotRegex(name, r"\.(testing|admin\.cli|aio|__main__)\b")

    def test_imported(self) -> None:
        """It is there when no file can be read any more."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.assertEqual((done.returncode, done.stdout.strip()), (0, ""), done.stderr)
