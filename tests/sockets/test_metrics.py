"""Programs that serve metrics, over real sockets."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.broker.cases import sent
from tests.metrics.reading import Reading
from tests.ports import free_port
from tests.sockets.test_programs import Connection, connected

_ROOT = Path(__file__).parents[2]


class ProgramTests(SynchronousTestCase):
    """``twistd rocketmq``, which is a broker and a name server."""

    timeout = 120

    def setUp(self) -> None:
        """Choose ports."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.broker, self.name_server, self.metrics = (free_port() for _ in range(3))

    def launch(self, *words: str) -> None:
        """Start it; it is killed at the end."""
        start = ["-c", "from twisted.scripts.twistd import run; run()"]
        start += ["-n", "--pidfile=", "rocketmq", "--memory"]
        start += ["-p", f"127.0.0.1:{self.broker}"]
        start += ["-P", f"127.0.0.1:{self.name_server}"]
        program = subprocess.Popen(
            [sys.executable, *start, *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "NAMESRV_ADDR": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)

    def settings(self, *lines: str) -> str:
        """Write a file of settings; return its path."""
        port = f"metricsPromExporterPort={self.metrics}"
        path = self.folder / "broker.conf"
        path.write_text("\n".join(["metricsExporterType=PROM", port, *lines]))
        return str(path)

    def get(self, connection: http.client.HTTPConnection, **headers: str) -> bytes:
        """Ask for the page."""
        connection.request("GET", "/metrics", headers=headers)
        response = connection.getresponse()
        self.code = response.status
        return response.read()

    def test_page(self) -> None:
        """One page has both parts, and the process; it counts what is sent."""
        self.launch("--metrics", str(self.metrics))
        producer = Connection(self.broker)
        self.addCleanup(producer.close)
        for _ in range(3):
            producer.send(sent())
            self.assertEqual(producer.response().code, 0)
        scraper = http.client.HTTPConnection("127.0.0.1", self.metrics, timeout=60)
        self.addCleanup(scraper.close)
        page = Reading(self.get(scraper))
        self.assertEqual(page.get("rocketmq_messages_in_total", is_system="false"), 3)
        name = "rocketmq_rpc_latency_milliseconds_count"
        self.assertEqual(page.get(name, request_code="send_message_v2"), 3)
        self.assertIsNotNone(page.get(name, request_code="register_broker"))
        self.assertEqual(page.get("rocketmq_namesrv_brokers"), 1)
        self.assertGreater(page.get("process_open_fds") or 0, 5)
        scraper.request("GET", "/")
        self.assertIn(b"/metrics", scraper.getresponse().read())

    def test_tls_and_token(self) -> None:
        """Both protect the port, if they are set; plain connections are refused."""
        lines = ("tls.server.mode=permissive", "tls.test.mode.enable=true")
        path = self.settings(*lines, "metricsTls=true", "metricsToken=secret")
        self.launch("-c", path)
        connected(self.metrics).close()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        scraper = http.client.HTTPSConnection(
            "127.0.0.1", self.metrics, timeout=60, context=context
        )
        self.addCleanup(scraper.close)
        self.get(scraper)
        self.assertEqual(self.code, 401)
        page = Reading(self.get(scraper, Authorization="Bearer secret"))
        self.assertEqual((self.code, page.get("rocketmq_namesrv_brokers")), (200, 1))
        with socket.create_connection(("127.0.0.1", self.metrics), timeout=60) as plain:
            plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                self.assertEqual(plain.recv(1000), b"")
            except ConnectionResetError:
                pass
