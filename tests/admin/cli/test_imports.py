"""What a command imports."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

_PROGRAM = """
import sys
from rocketmq_tw.admin.cli.imports import import_quickly
import_quickly()
import rocketmq_tw.admin.client
assert "urllib.request" not in sys.modules, "imported"
import http.cookiejar
assert http.cookiejar.CookieJar().__class__.__name__ == "CookieJar"
assert "urllib.request" in sys.modules
"""


class ImportTests(SynchronousTestCase):
    """A fresh interpreter."""

    def test_cookies(self) -> None:
        """They come when they are used, and not before."""
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], capture_output=True, text=True
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
