"""What is measured where: the machine, and the versions of everything."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


def describe(command: Sequence[str], apache: str | None) -> list[str]:
    """
    Return paragraphs of reStructuredText.

    :param command: the words after ``python -m tests.bench``.
    :param apache: the version of Apache RocketMQ; None if it is not measured.
    """
    words = " ".join(command)
    found = [
        f"Measured on {today()} with ``python -m tests.bench {words}``".rstrip()
        + f", at revision {revision()}. {machine()}. {versions()}."
    ]
    if apache is not None:
        found.append(
            f"Apache RocketMQ {apache} ran on {java()}, with the flags of its own"
            " start scripts (G1, the whole compiler) but a heap of a size for this"
            " machine. Its configuration is its default, but for two limits that let"
            " it refuse requests after 200 ms and 1 s: here both are 20 s."
        )
    return found


def today() -> str:
    """Return the date, as ISO 8601 does."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def machine() -> str:
    """Describe the processors, the memory and the kernel."""
    model, memory = platform.machine(), 0
    for line in _lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            memory = int(line.split()[1]) >> 20
    cores = len(os.sched_getaffinity(0))
    return f"{cores} x {model}, {memory} GiB, Linux {platform.release()}"


def versions() -> str:
    """List what our side runs on."""
    names = {"Twisted": "twisted", "msgspec": "msgspec"}
    found = [f"{n} {importlib.metadata.version(p)}" for n, p in names.items()]
    return ", ".join([f"CPython {platform.python_version()}", *found])


def java() -> str:
    """Return the version of Java."""
    done = subprocess.run(["java", "-version"], capture_output=True, text=True)
    return done.stderr.splitlines()[0].replace('"', "")


def revision() -> str:
    """Return the revision of the sources; unknown if git does not say."""
    if shutil.which("git") is None:
        return "unknown"
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip() or (
        "unknown"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
