"""What plants faults in a cluster of real processes, and lets the doctor look at it."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rocketmq_tw.admin.doctor.finding import FAULTS, Severity
from tests.longrun.broker import Link, send
from tests.longrun.disk_full import SmallDisk

from .lab import Server
from .program import Process, wait_until
from .test_rocketmq_admin import run

#: What depends on the disk of whoever runs the tests.
OF_THE_DISK = {"disk-fills", "disk-full"}


def examined(
    names: str,
    *words: str,
    options: tuple[str, ...] = (),
    ignoring: set[str] | None = None,
) -> set[str]:
    """
    Run ``rocketmq-admin doctor``; return the words of the faults, with their subjects.

    Its exit code must be what it found: 1 with a fault or a warning, otherwise 0.
    """
    done = run(names, "--timeout", "2", *options, "doctor", "--json", *words)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    bad = any(each["severity"] != Severity.NOTE for each in found)
    assert done.returncode == int(bad), (done.returncode, done.stdout, done.stderr)
    for each in found:
        assert each["severity"] == FAULTS[each["fault"]]
        assert each["sentence"]
    ignored = OF_THE_DISK if ignoring is None else ignoring
    return {
        f"{each['fault']} {each['subject']}"
        for each in found
        if each["fault"] not in ignored
    }


def own_address() -> str:
    """Return an address of this machine that is not its loopback; it needs one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])


def fill(
    server: Server, topic: str, count: int, size: int = 10, properties: str = ""
) -> list[int]:
    """Send messages one by one; return the codes of the responses."""
    link = Link(int(server.address.rpartition(":")[2]), 30)
    return [
        link.ask(send(topic, 0, bytes(size), properties=f"i\1{n}\2{properties}")).code
        for n in range(count)
    ]


@contextmanager
def sending(server: Server, topic: str, pause: float) -> Iterator[None]:
    """Send a message every so many seconds, meanwhile."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(pause):
            fill(server, topic, 1)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


@contextmanager
def stopped(process: Process) -> Iterator[None]:
    """Let a process stand still, as one that hangs."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


@contextmanager
def small_files(process: Process, size: int) -> Iterator[None]:
    """Let writes of a process behind the first bytes of each file fail."""
    limit = resource.RLIMIT_FSIZE
    before = resource.prlimit(process.pid, limit)
    resource.prlimit(process.pid, limit, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, limit, before)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a disk of its own; it needs the right to."""
    folder.mkdir()
    disk = SmallDisk(folder)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def leave(disk: SmallDisk, size: int) -> None:
    """Let another file take all but so many bytes, while a broker makes files, too."""

    def done() -> bool:
        try:
            disk.leave(size)
        except OSError:
            disk.empty()
            return False
        return True

    wait_until(done, 20, "room for the other file")
