"""Every listing in ``doc/howto/listings`` is run, against a server of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import servers

ROOT = Path(__file__).parents[2]
LISTINGS = ROOT / "doc" / "howto" / "listings"
NAME_SERVER = "127.0.0.1:9876"

#: What each listing prints; those that go on for ever are stopped when they have.
ENDING = {
    "first_message.py": r"^SEND_OK .*TopicTest.* \d+$",
    "produce_await.py": r"stored: \w+\nstored: 100\nnot stored, as far as we know: ",
    "produce_callbacks.py": r"^stored: \w+$",
    "produce_inline_callbacks.py": r"^stored: \w+$",
    "produce_asyncio.py": r"^stored: 10$",
    "transactions.py": r"^b'a good order' COMMIT\nb'a bad order' ROLLBACK\norders: 2",
    "transactions_asyncio.py": r"^placed: \w+$",
    "request_reply.py": r"^the reply: b'42'\nno reply to a request",
    "traces.py": r"^mqadmin queryMsgTraceById -i \w+$",
    "credentials.py": r"^stored: \w+$",
    "lags.py": r"^billing: 0 behind, 0 connected$",
    "lags_asyncio.py": r"^\d+ messages in \d queues\nNoSuchTopic: no broker has",
    "read_queues.py": r"\d \d+ b'Hello, RocketMQ'",
}
ENDLESS = {
    "consume_await.py": r"TopicTest \d \d+ b'Hello, RocketMQ'",
    "consume_callbacks.py": r"b'Hello, RocketMQ'",
    "consume_inline_callbacks.py": r"b'Hello, RocketMQ'",
    "pull_asyncio.py": r"b'Hello, RocketMQ'",
    "pull_messages.py": r"\d \d+ b'Hello, RocketMQ'",
    "receive_and_ack.py": r"TopicTest \d+ b'Hello, RocketMQ'",
    "consume_asyncio.py": r"b'Hello, RocketMQ'",
    "consume_in_order.py": r"TopicTest \d \d+ b'Hello, RocketMQ'",
    "service.tac": r"Hello, RocketMQ",
}


@pytest.fixture(scope="module")
def name_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a name server and a broker, and send the first message."""
    server = servers.ours(tmp_path_factory.mktemp("data"))
    address = f"127.0.0.1:{server.ports[1]}"
    try:
        run("first_message.py", address, tmp_path_factory.mktemp("first"))
        yield address
    finally:
        server.stop()


def start(listing: str, address: str, scratch: Path) -> subprocess.Popen[str]:
    """Start a listing; its name server's address alone is replaced."""
    text = (LISTINGS / listing).read_text()
    assert text.count(NAME_SERVER) == 1
    path = scratch / listing
    path.write_text(text.replace(NAME_SERVER, address))
    command = [sys.executable, "-u", str(path)]
    if path.suffix == ".tac":
        twistd = str(Path(sys.executable).with_name("twistd"))
        command = [twistd, "--pidfile=", "-ny", str(path)]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=scratch,
    )


def run(listing: str, address: str, scratch: Path) -> str:
    """Run a listing to its end; give what it printed."""
    process = start(listing, address, scratch)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def run_until(listing: str, address: str, scratch: Path, expected: str) -> str:
    """Run a listing until it has printed what is expected, then stop it."""
    process = start(listing, address, scratch)
    patience = threading.Timer(60, process.kill)
    patience.start()
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if re.search(expected, said, re.MULTILINE):
            break
    process.terminate()
    process.wait(60)
    patience.cancel()
    process.stdout.close()
    return said


@pytest.mark.parametrize("listing", sorted(ENDING))
def test_ends(listing: str, name_server: str, tmp_path: Path) -> None:
    """It prints what the text beside it says, and ends."""
    said = run(listing, name_server, tmp_path)
    assert re.search(ENDING[listing], said, re.MULTILINE), said
    assert "Traceback" not in said


@pytest.mark.parametrize("listing", sorted(ENDLESS))
def test_goes_on(listing: str, name_server: str, tmp_path: Path) -> None:
    """It consumes the first message, and stops when it is asked to."""
    said = run_until(listing, name_server, tmp_path, ENDLESS[listing])
    assert re.search(ENDLESS[listing], said, re.MULTILINE), said
    assert "Traceback" not in said


def test_all_are_run() -> None:
    """No listing is left out."""
    found = {path.name for path in LISTINGS.iterdir() if path.is_file()}
    assert found == set(ENDING) | set(ENDLESS)


def test_first_message_in_the_readme() -> None:
    """The README shows the first listing, word for word."""
    listing = (LISTINGS / "first_message.py").read_text()
    code = listing.partition('"""\n\n')[2].rstrip()
    indented = re.sub(r"^(?=.)", "    ", code, flags=re.MULTILINE)
    assert indented in (ROOT / "README.rst").read_text()


def test_every_listing_is_shown() -> None:
    """The texts show every listing but the README's."""
    texts = "".join(path.read_text() for path in (ROOT / "doc/howto").glob("*.rst"))
    missing = [name for name in {*ENDING, *ENDLESS} if f"listings/{name}" not in texts]
    assert missing == []
