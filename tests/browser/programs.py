"""The programs that the browser's tests need: servers, an application, axe-core."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue

ROOT = Path(__file__).parents[2]
#: Of axe-core: the rules that pages are checked by.
AXE = "4.14.1"


class Program:
    """
    A program that runs beside a test.

    :param words: its command line, after Python's.
    """

    def __init__(self, *words: str, log: Path) -> None:
        self._log = log
        self._lines: Queue[str] = Queue()
        self._process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def expect(self, line: str, patience: float = 90.0) -> None:
        """Wait for a line of its output; others are passed over."""
        until = time.monotonic() + patience
        while True:
            try:
                found = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                text = self._log.read_text()[-2000:]
                raise AssertionError(f'no line "{line}": {text}') from None
            if found == line:
                return

    def expect_all(self, lines: set[str], patience: float = 90.0) -> None:
        """Wait for lines of its output in any order."""
        missing = set(lines)
        until = time.monotonic() + patience
        while missing:
            assert time.monotonic() < until, f"no lines {missing}"
            with suppress(Empty):
                missing.discard(self._lines.get(timeout=1))

    def write(self, line: str) -> None:
        """Write a line to its input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """End it, and wait."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Relay:
    """
    Passes connections on to a port, until it is cut.

    :ivar port: where it listens.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        """Accept connections, until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=ends, daemon=True).start()

    def cut(self) -> None:
        """Lose all connections; new ones are closed."""
        self._is_cut = True
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Accept connections again."""
        self._is_cut = False

    def close(self) -> None:
        """Lose all, and end."""
        self.cut()
        self._listener.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Pass bytes on until one end closes; close the other."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def await_page(url: str, patience: float = 90.0) -> None:
    """Wait until a console responds."""
    until = time.monotonic() + patience
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def axe(folder: Path) -> str:
    """Return the source of axe-core, which npm installs."""
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    subprocess.run([*command, f"axe-core@{AXE}"], cwd=folder, check=True, timeout=120)
    path = folder / "node_modules" / "axe-core" / "axe.min.js"
    return path.read_text(encoding="utf-8")
