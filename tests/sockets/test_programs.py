"""``twistd`` with brokers that cannot start, and with one that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.command import decode_json, encode_request
from rocketmq_tw.wire.fields import Request, from_ext
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.requests.offset import GetMaxOffset, OffsetResponse
from tests.broker.cases import TOPIC, sent
from tests.ports import free_port

_ROOT = Path(__file__).parents[2]
_SMALL = "mappedFileSizeCommitLog=1048576\nmappedFileSizeConsumeQueue=20000\n"


class Connection:
    """A client that waits for its responses."""

    def __init__(self, port: int) -> None:
        self._socket = connected(port)
        self._decoder = FrameDecoder()
        self._frames: list[Any] = []

    def send(self, request: Request[Any]) -> None:
        """Send a request."""
        self._socket.sendall(encode_request(request, 1))

    def response(self) -> Any:
        """Wait for the next response; None once the connection is closed."""
        while not self._frames:
            try:
                data = self._socket.recv(65536)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._frames += self._decoder.feed(data)
        _, header, body = self._frames.pop(0)
        return decode_json(header, body)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def connected(port: int, patience: float = 90.0) -> socket.socket:
    """Connect as soon as somebody listens."""
    until = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=patience)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


class ProgramCase(SynchronousTestCase):
    """Runs brokers in a folder."""

    timeout = 120

    def setUp(self) -> None:
        """Make the folder, and settings with small files."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        (self.folder / "broker.conf").write_text(_SMALL)
        self.port = free_port()

    def command(self, data: str, port: int, *flags: str) -> list[str]:
        """Give the command line of a broker."""
        words = ["-c", "from twisted.scripts.twistd import run; run()", *flags]
        words += ["--pidfile=", "rocketmq-broker", "-c", "broker.conf", "-d", data]
        words += ["-p", f"127.0.0.1:{port}", "--advertise", "127.0.0.1"]
        return [sys.executable, *words]

    def launch(
        self, data: str = "data", port: int = 0, in_foreground: bool = True
    ) -> subprocess.Popen[str]:
        """Start a broker; it is killed at the end."""
        flags = ["-n"] if in_foreground else []
        program = subprocess.Popen(
            self.command(data, port or self.port, *flags),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "NAMESRV_ADDR": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        return program

    def fails(self, words: str, data: str = "data") -> None:
        """Start a broker that says one sentence and ends."""
        program = self.launch(data, free_port())
        _, said = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 1)
        self.assertIn(words, said)
        self.assertEqual(len(said.strip().splitlines()), 1, said)


class CannotStartTests(ProgramCase):
    """One sentence on standard error, exit code 1."""

    def test_port_taken(self) -> None:
        """Another program has the port; nothing is touched, not even the lock."""
        with socket.create_server(("127.0.0.1", self.port)):
            program = self.launch()
            _, said = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 1)
        expected = f"port {self.port} of 127.0.0.1 is in use"
        self.assertEqual(said.strip(), f"{expected}: another program listens there")
        self.assertFalse((self.folder / "data").exists())

    def test_folder_in_use(self) -> None:
        """Another broker has the folder; that one goes on."""
        self.launch()
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        connection.send(sent())
        self.assertEqual(connection.response().code, 0)
        self.fails("another broker has this store open")
        connection.send(sent())
        self.assertEqual(connection.response().code, 0)

    def test_no_folder(self) -> None:
        """A file stands where the folder should be."""
        (self.folder / "data").write_text("")
        self.fails("the store cannot be read")

    def test_log_of_a_wrong_size(self) -> None:
        """A file of the commit log is shorter than the settings say."""
        log = self.folder / "data" / "commitlog"
        log.mkdir(parents=True)
        (log / ("0" * 20)).write_bytes(bytes(1000))
        self.fails(f"the store cannot be read: {log}")

    def test_damaged_table(self) -> None:
        """A table is no JSON, and there is no backup."""
        config = self.folder / "data" / "config"
        config.mkdir(parents=True)
        (config / "topics.json").write_text('{"topicConfigTable":')
        self.fails("topics.json cannot be used: malformed JSON")

    def test_damaged_table_of_a_daemon(self) -> None:
        """The sentence comes where the program was started from, if a moment later."""
        config = self.folder / "data" / "config"
        config.mkdir(parents=True)
        (config / "topics.json").write_text('{"topicConfigTable":')
        program = self.launch(in_foreground=False)
        _, said = program.communicate(timeout=120)
        [line] = said.splitlines()
        self.assertIn("topics.json cannot be used: malformed JSON", line)

    def test_settings(self) -> None:
        """A value that cannot be used stands after the usage, on standard output."""
        (self.folder / "broker.conf").write_text("brokerId=1")
        program = self.launch()
        said, _ = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 1)
        self.assertIn('brokerId is "1"; expected 0', said.splitlines()[-1])


class EndTests(ProgramCase):
    """``SIGTERM`` while messages come."""

    def test_hangup(self) -> None:
        """``SIGHUP``, which tools send after rotating a log, ends nothing."""
        program = self.launch()
        connection = Connection(self.port)
        program.send_signal(signal.SIGHUP)
        for number in range(20):
            connection.send(sent(body=b"%d" % number))
            response = connection.response()
            assert response is not None
            self.assertEqual(response.code, 0)
        connection.close()
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=120)
        self.assertEqual(program.returncode, -signal.SIGTERM)

    def test_nothing_lost(self) -> None:
        """Every message that was acknowledged is there after the next start."""
        program = self.launch()
        connection = Connection(self.port)
        stored = 0
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for number in range(3000):
                connection.send(sent(body=b"%d" % number))
                if number == 1000:
                    program.send_signal(signal.SIGTERM)
                # Fifty are on their way all the time.
                if number >= 50 and (response := connection.response()) is not None:
                    self.assertEqual(response.code, 0)
                    stored += 1
        connection.close()
        program.communicate(timeout=120)
        # twistd ends itself by the signal that it got, once all is stopped.
        self.assertEqual(program.returncode, -signal.SIGTERM)
        self.assertGreater(stored, 900)
        self.assertFalse((self.folder / "data" / "abort").exists())
        self.launch()
        self.assertGreaterEqual(self.end_of_queue(), stored)

    def end_of_queue(self) -> int:
        """Ask where the queue ends."""
        connection = Connection(self.port)
        self.addCleanup(connection.close)
        connection.send(GetMaxOffset(topic=TOPIC, queue_id=0))
        fields = connection.response().fields
        return from_ext(OffsetResponse, fields).offset
