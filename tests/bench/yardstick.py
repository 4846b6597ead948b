"""The yardstick: a load generator in C, and the least a Twisted process must do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

BESIDE = Path(__file__).parents[3] / "shared" / "bench"
"""Where the yardstick is looked for if nobody says where it is."""


class Shape(NamedTuple):
    """A way to put load on a broker."""

    name: str
    mode: str
    connections: int
    depth: int
    """Requests in flight a connection; messages a batch when pulling."""
    size: int
    """Bytes of a body; not used when pulling."""


SENDS = (
    Shape("1 x 1, 1 KiB", "send", 1, 1, 1024),
    Shape("1 x 32, 1 KiB", "send", 1, 32, 1024),
    Shape("16 x 1, 1 KiB", "send", 16, 1, 1024),
    Shape("64 x 1, 1 KiB", "send", 64, 1, 1024),
    Shape("4 x 32, 128 B", "send", 4, 32, 128),
)
PULL = Shape("pull 4 x 32", "pull", 4, 32, 0)


class Yardstick:
    """
    The load generator, compiled, and the path of the floor.

    :param folder: holds ``load.c`` and ``floor.py``.
    :param scratch: takes the compiled program.
    :raises FileNotFoundError: the folder does not hold them.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.floor = folder / "floor.py"
        for path in (folder / "load.c", self.floor):
            if not path.exists():
                raise FileNotFoundError(f"{path} is missing; see --yardstick")
        self._load = scratch / "load"
        subprocess.run(
            ["cc", "-O2", "-o", str(self._load), str(folder / "load.c")], check=True
        )

    def drive(
        self, shape: Shape, port: int, seconds: float, topic: str = "TopicTest"
    ) -> dict[str, Any]:
        """
        Put load on a server of this machine.

        :returns: ``rate`` in messages a second, ``p99`` in microseconds, ...
        :raises AssertionError: a response was an error, or a message was missing.
        """
        size = [str(shape.size)] if shape.mode == "send" else []
        words = [topic, str(shape.connections), str(shape.depth), *size, str(seconds)]
        done = subprocess.run(
            [str(self._load), shape.mode, "127.0.0.1", str(port), *words],
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
        assert done.returncode == 0, f"{shape.name}: {done.stdout}{done.stderr}"
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def find(named: str | None) -> Path:
    """Give the yardstick's folder: as named, as the environment says, or beside us."""
    return Path(named or os.environ.get("ROCKETMQ_TW_YARDSTICK") or BESIDE)
