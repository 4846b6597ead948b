"""Programs on the Go and the Node client: how they are built and started."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.ports import free_port

from .program import Program, one_at_a_time

GO = Path(__file__).parent / "go"
"""
A module on ``github.com/apache/rocketmq-client-go/v2``; ``go.mod`` pins the release,
``tls.mod`` a later state, as the release has no TLS.
"""

NODE = Path(__file__).parent / "node"
"""A package on ``ali-ons``; ``package-lock.json`` pins it."""

TOOLS = {"go": ("go",), "go-tls": ("go",), "node": ("node", "npm")}
"""The programs that each make needs."""

_BINARIES = {"go": GO / "target" / "interop", "go-tls": GO / "target" / "interop-tls"}
_BUILD_FLAGS: dict[str, list[str]] = {
    "go": [],
    "go-tls": ["-modfile=tls.mod", "-tags", "tls"],
}
_GO_PROGRAMS = {
    "SendMessages": "send",
    "ConsumeMessages": "consume",
    "ManageTopics": "manage",
    "AskAndReply": "ask",
}
_NODE_PROGRAMS = {"SendMessages": "send.js", "ConsumeMessages": "consume.js"}


def missing_tools(make: str) -> list[str]:
    """Name the programs that a make needs and that are not installed."""
    return [tool for tool in TOOLS[make] if shutil.which(tool) is None]


def build(make: str) -> None:
    """
    Compile the Go program, or install what the Node programs use, unless done.

    :raises AssertionError: a command failed; the text is what it printed.
    """
    with one_at_a_time(GO / "target" if make in _BINARIES else NODE / "target"):
        _build(make)


def _build(make: str) -> None:
    if make in _BINARIES:
        binary = _BINARIES[make]
        sources = [*GO.glob("*.go"), *GO.glob("*.mod"), *GO.glob("*.sum")]
        if not _is_newer(binary, sources):
            _run(["go", "build", *_BUILD_FLAGS[make], "-o", str(binary), "."], GO)
        return
    stamp = NODE / "node_modules" / "installed"
    if not _is_newer(stamp, [NODE / "package.json", NODE / "package-lock.json"]):
        flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
        _run(["npm", "ci", *flags], NODE)
        stamp.touch()


def program(make: str, name: str, scratch: Path, **options: object) -> Program:
    """Start the counterpart of a Java program, written on the Go or the Node client."""
    if make in _BINARIES:
        words = [f"--{name}={value}" for name, value in options.items()]
        command = [str(_BINARIES[make]), _GO_PROGRAMS[name], *words]
    else:
        words = [text for k, v in options.items() for text in (f"--{k}", str(v))]
        command = ["node", str(NODE / _NODE_PROGRAMS[name]), *words]
    return Program(command, scratch / f"{make}-{name}-{free_port()}.log")


def _is_newer(made: Path, sources: Sequence[Path]) -> bool:
    if not made.exists():
        return False
    return made.stat().st_mtime > max(path.stat().st_mtime for path in sources)


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr)[-3000:]}"
