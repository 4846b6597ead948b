"""The five commands of the how-to of TLS run, as its reader runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "doc" / "howto" / "tls.rst"
LISTINGS = ROOT / "doc" / "howto" / "listings" / "tls"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the listings, with ports that are free."""
    main = free_port()
    ports = {"9876": str(free_port()), "10911": str(main)}
    for source in LISTINGS.iterdir():
        text = source.read_text()
        for usual, free in ports.items():
            text = text.replace(usual, free)
        (tmp_path / source.name).write_text(text)
    return tmp_path


def run(command: str, folder: Path) -> str:
    """Run a command; return what it printed."""
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}: {done.stdout + done.stderr}"
    return done.stdout


def wait_for(path: Path, text: str) -> None:
    """Wait until a file contains a text."""
    end = time.monotonic() + 90
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end, f"{path} lacks {text}"
        time.sleep(0.05)


def with_asyncio(listing: Path) -> str:
    """Return a listing as a program of asyncio, which imports no reactor."""
    main = listing.read_text().partition("async def main(reactor):")[2]
    main = main.partition("react(")[0].replace("Client(reactor, ", "Client(")
    imports = "import asyncio\nimport sys\nfrom rocketmq_tw import Message, Tls\n"
    imports += "from rocketmq_tw.aio import Client\n"
    check = "assert 'twisted.internet.reactor' not in sys.modules\n"
    return f"{imports}async def main():{main}asyncio.run(main())\n{check}"


def test_five_commands(folder: Path) -> None:
    """A message is sent, and the self-test finds nothing wrong."""
    commands = (folder / "commands.sh").read_text().splitlines()
    assert len(commands) == 5
    authority, server, start, check, hello = commands
    run(authority, folder)
    run(server, folder)
    run(start, folder)
    pid = int((folder / "twistd.pid").read_text())
    try:
        wait_for(folder / "twistd.log", "registered with name server")
        found = run(check, folder)
        assert "requests are served by TLS" in found
        assert "plain connections are not served" in found
        assert run(hello, folder) == "SEND_OK\n"
        (folder / "in_asyncio.py").write_text(with_asyncio(folder / "hello.py"))
        assert run("python in_asyncio.py", folder) == "SEND_OK\n"
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(folder / "twistd.log", "Server Shut Down")


def test_shown() -> None:
    """The page shows the listings, and the commands are in it nowhere else."""
    page = PAGE.read_text()
    for listing in LISTINGS.iterdir():
        assert f"listings/tls/{listing.name}" in page
