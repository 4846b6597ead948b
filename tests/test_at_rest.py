"""
What a name server and a broker import to start, which decides about their memory.

The programs promise to start in a quarter of a second and 50 MB. Each module takes some
30 KB and 0.15 ms, and a library far more. ``python -m tests.bench --only rest``
measures both; what would break the promise is seen here.
"""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.ports import free_port

#: Starts what a command line asks for, as ``twistd rocketmq`` does, and prints the
#: names of all modules once clients are served.
PROGRAM = """
import os
import sys
from twisted.scripts import twistd
from rocketmq_tw.tap import Options, makeService

options = Options()
options.parseOptions(sys.argv[1:])
service = makeService(options)
from twisted.internet import reactor

def start():
    service.startService()
    [broker] = [each for each in service if hasattr(each, "address")]
    broker.started.addBoth(started)

def started(result):
    print(result or "", *sys.modules, flush=True)
    os._exit(0)  # no need to stop in stages

reactor.callWhenRunning(start)
reactor.run()
"""

#: What is not imported before it is used: libraries, and parts of this package.
UNUSED = (
    "OpenSSL",
    "cryptography",
    "service_identity",
    "lz4",
    "zstandard",
    "hypothesis",
    "prometheus_client",
    "twisted.web",
    "rocketmq_tw.admin",
    "rocketmq_tw.auth",
    "rocketmq_tw.client",
    "rocketmq_tw.console",
    "rocketmq_tw.logs",
    "rocketmq_tw.metrics",
    "rocketmq_tw.testing",
)
#: How many modules of this package a broker and a name server may be. Whoever needs
#: more looks first for what is not needed at rest.
MOST = 423


class StartTests(SynchronousTestCase):
    """A master and a name server that have nothing to do yet."""

    def modules(self, *words: str) -> set[str]:
        """Start both; return the names of the modules that are imported then."""
        listen = [f"--listen=127.0.0.1:{free_port()}", "--advertise=127.0.0.1"]
        listen.append(f"--namesrv-listen=127.0.0.1:{free_port()}")
        command = [sys.executable, "-c", PROGRAM, f"--data={self.mktemp()}"]
        command += [*listen, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return set(done.stdout.split())

    def test_unused(self) -> None:
        """Nothing is imported that only other programs, or other settings, use."""
        modules = self.modules()
        self.assertIn("rocketmq_tw.store.message_store", modules)
        found = {
            name
            for name in modules
            if name.startswith(tuple(f"{each}." for each in UNUSED)) or name in UNUSED
        }
        self.assertEqual(found, set())
        ours = [name for name in modules if name.startswith("rocketmq_tw.")]
        self.assertLessEqual(len(ours), MOST)
