"""
Apache's own benchmark programs, as its users start them.

They write binary headers, share one connection among their threads, and print what they
reached every ten seconds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from tests.interop import apache

#: Of the printed lines, the first show how Java compiles.
WARM_LINES = 2
_RATE = re.compile(r"Send TPS:\s*(\d+).*Send Failed:\s*(\d+)")
_JVM = ("-Xms256m", "-Xmx1g", "-XX:+UseG1GC")


def rates(
    release: str, scratch: Path, name: str, name_server: str, count: int, *words: str
) -> list[float]:
    """
    Let a program send messages of 1 KiB with some threads.

    :param release: one of ``tests.interop.apache.RELEASES``.
    :param name: of the program.
    :param count: how many rates are wanted, each of ten seconds.
    :param words: further options of the program.
    :returns: messages a second.
    """
    command = ["java", *_JVM, f"-Duser.home={scratch}"]
    command += ["-cp", apache.class_path(release)]
    command += [f"org.apache.rocketmq.example.benchmark.{name}", "-n", name_server]
    command += ["-s", "1024", *words]
    with _lines(command) as lines:
        found = (match for match in map(_RATE.search, lines) if match)
        taken = list(islice(found, WARM_LINES, WARM_LINES + count))
    assert len(taken) == count, f"{name} ended early"
    assert all(match[2] == "0" for match in taken), "sends failed"
    return [float(match[1]) for match in taken]


@contextmanager
def _lines(command: list[str]) -> Iterator[Iterator[str]]:
    """Give what a program prints, and end it."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()
