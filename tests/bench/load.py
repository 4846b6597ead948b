"""The load generator, ``load.c``: compiled, and run against one server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

SOURCE = Path(__file__).with_name("load.c")
#: Seconds beyond those of the drive until a load generator counts as hanging.
PATIENCE = 120.0


class Shape(NamedTuple):
    """A way to put load on a broker."""

    name: str
    mode: str
    connections: int
    depth: int
    """Requests in flight a connection; messages a pull when pulling."""
    body: int = 1024
    """Bytes of a message; not used when pulling."""


SENDS = (
    Shape("1 x 1, 1 KiB", "send", 1, 1),
    Shape("1 x 32, 1 KiB", "send", 1, 32),
    Shape("16 x 1, 1 KiB", "send", 16, 1),
    Shape("64 x 1, 1 KiB", "send", 64, 1),
    Shape("4 x 32, 128 B", "send", 4, 32, 128),
)
PULLS = (
    Shape("pull 1 x 32", "pull", 1, 32),
    Shape("pull 4 x 32", "pull", 4, 32),
)


#: Further parameters of ``load.c`` for each server, by its name.
Parameters = Mapping[str, Mapping[str, str | int]]
AS_IT_IS: Parameters = {}


class Drive(msgspec.Struct, frozen=True):
    """What one drive measured; times are in microseconds."""

    rate: float
    """Messages a second."""
    mb_per_s: float
    p50: float
    p99: float
    p999: float
    worst: float
    errors: int
    gaps: int
    cpu: float
    """Of one processor, what the load generator took; near 1 it was the limit."""


class DriveFailed(Exception):
    """A server responded with an error, left a message out, or closed a connection."""


class LoadGenerator:
    """
    The compiled program.

    :param scratch: a folder for it.
    :param with_openssl: whether it knows ``tls``, ``user`` and ``secret``; that needs
        OpenSSL's headers.
    """

    def __init__(self, scratch: Path, with_openssl: bool = False) -> None:
        self._program = scratch / "load"
        command = ["cc", "-O2", "-o", str(self._program), str(SOURCE)]
        if with_openssl:
            command += ["-DWITH_OPENSSL", "-lssl", "-lcrypto"]
        subprocess.run(command, check=True)

    def drive(
        self, shape: Shape, port: int, seconds: float, **more: str | int
    ) -> Drive:
        """
        Put load on a server of this machine for some seconds.

        :param more: further parameters of ``load.c``, such as ``topic``.
        :raises DriveFailed: a response was an error, or a message was missing.
        """
        running = self.begin(shape, port, seconds, **more)
        output, errors = running.communicate(timeout=seconds + PATIENCE)
        if running.returncode:
            raise DriveFailed(f"{shape.name}: {output}{errors}")
        return msgspec.convert(json.loads(output), Drive)

    def begin(
        self, shape: Shape, port: int, seconds: float, **more: str | int
    ) -> subprocess.Popen[str]:
        """Begin to put load on a server; the caller waits for the end."""
        parameters: dict[str, str | int | float] = {
            "port": port,
            "connections": shape.connections,
            "depth": shape.depth,
            "body": shape.body,
            "seconds": seconds,
            **more,
        }
        words = [f"{name}={value}" for name, value in parameters.items()]
        return subprocess.Popen(
            [str(self._program), shape.mode, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def fill(
        self, port: int, count: int, topic: str, body: int = 1024, **more: str | int
    ) -> None:
        """Send some messages, 32 in flight, however long that takes."""
        shape = Shape(f"fill {topic}", "send", 1, 32, body)
        self.drive(shape, port, 600.0, count=count, topic=topic, **more)
