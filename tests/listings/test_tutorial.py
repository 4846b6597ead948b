"""The tutorial's order service is run as its text says, against a real cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import servers
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "doc" / "tutorial"
LISTINGS = TUTORIAL / "listings"
NAME_SERVER = "127.0.0.1:9876"
WEB = "tcp:8080:"

#: The addresses in each listing, replaced for the test; all others have none.
ADDRESSES = {
    "place_order.py": [NAME_SERVER],
    "dead_letters.py": [NAME_SERVER],
    "shop.tac": [NAME_SERVER, WEB],
    "billing.tac": [NAME_SERVER],
}


class Folder:
    """
    The listings in a folder of their own, as a reader has them.

    :param name_server: takes the place of the one that the listings name.
    """

    def __init__(self, path: Path, name_server: str) -> None:
        self.path = path
        self.web = free_port()
        for listing in LISTINGS.iterdir():
            if listing.suffix not in (".py", ".tac"):
                continue
            text = listing.read_text()
            for address in ADDRESSES.get(listing.name, ()):
                assert text.count(address) == 1, listing
            text = text.replace(NAME_SERVER, name_server)
            text = text.replace(WEB, f"tcp:{self.web}:")
            (path / listing.name).write_text(text)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a program of the environment that runs the tests."""
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            env={
                **os.environ,
                "PYTHONPATH": f"{self.path}:{ROOT}",
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.path,
        )

    def run(self, *command: str) -> str:
        """Run a program to its end; return what it printed."""
        process = self.start(*command)
        printed, _ = process.communicate(timeout=120)
        assert process.returncode == 0, printed
        return printed

    def place(self, body: bytes) -> int:
        """Place an order in the shop; return the status of the reply."""
        url = f"http://127.0.0.1:{self.web}/"
        try:
            with urllib.request.urlopen(url, body, timeout=60) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code


class Daemon:
    """A program that runs until it is stopped; what it printed is in ``printed``."""

    def __init__(self, folder: Folder, listing: str) -> None:
        self.printed = ""
        self.process = folder.start("twistd", "--pidfile=", "-ny", listing)

    def __enter__(self) -> Daemon:
        """Kill it should it hang."""
        self.patience = threading.Timer(90, self.process.kill)
        self.patience.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop it as an operator would, and read the rest of what it prints."""
        self.process.terminate()
        assert self.process.stdout is not None
        self.printed += self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait(60)
        self.patience.cancel()

    def wait_for(self, *expected: str) -> None:
        """Read its lines until each of the patterns was found."""
        assert self.process.stdout is not None
        while not all(re.search(pattern, self.printed) for pattern in expected):
            line = self.process.stdout.readline()
            assert line, f"{expected} not found: {self.printed}"
            self.printed += line


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """Start a name server and a broker, and copy the listings."""
    server = servers.ours(tmp_path / "data")
    try:
        yield Folder(tmp_path, f"127.0.0.1:{server.ports[1]}")
    finally:
        server.stop()


def test_orders_are_placed_and_charged(folder: Folder) -> None:
    """Orders are charged, at the second attempt if need be, or become dead letters."""
    printed = folder.run("python", "place_order.py", "1001", "19.99")
    assert re.search(r"^order 1001 is message \w+$", printed, re.MULTILINE)
    with Daemon(folder, "shop.tac") as shop:
        shop.wait_for("Site starting")
        assert folder.place(json.dumps({"id": "1002", "amount": 900}).encode()) == 201
        assert folder.place(json.dumps({"id": "1003", "amount": 1e4}).encode()) == 201
        assert folder.place(b"no order") == 400
    with Daemon(folder, "billing.tac") as billing:
        billing.wait_for(
            "order 1001 is charged: 19.99",
            "order 1002: retry number 1",
            "order 1002 is charged: 900.0",
            "order 1003 was declined",
        )
        assert " 1003 {" in folder.run("python", "dead_letters.py", "resend")
        billing.wait_for(r"(?s)(order 1003 was declined.*){2}")
    assert "Traceback" not in shop.printed + billing.printed
    assert "Main loop terminated" in shop.printed
    assert "Main loop terminated" in billing.printed


def test_offsets_survive_the_stop(folder: Folder) -> None:
    """What was charged before billing was stopped is not delivered again."""
    folder.run("python", "place_order.py", "1001", "19.99")
    with Daemon(folder, "billing.tac") as first:
        first.wait_for("order 1001 is charged")
    folder.run("python", "place_order.py", "1002", "5")
    with Daemon(folder, "billing.tac") as second:
        second.wait_for("order 1002 is charged")
    assert "order 1001" not in second.printed


def test_no_dead_letters_yet(folder: Folder) -> None:
    """The list of dead letters is empty before there is one."""
    assert folder.run("python", "dead_letters.py") == ""


def test_its_own_tests_pass(tmp_path: Path) -> None:
    """The tests that the tutorial shows pass."""
    folder = Folder(tmp_path, NAME_SERVER)
    assert "PASSED" in folder.run("python", "-m", "twisted.trial", "test_billing")


def test_every_listing_is_shown() -> None:
    """The text shows every listing, and no other."""
    text = (TUTORIAL / "index.rst").read_text()
    shown = set(re.findall(r"literalinclude:: listings/(\S+)", text))
    found = {p.name for p in LISTINGS.iterdir() if p.suffix in (".py", ".tac")}
    assert shown == found
