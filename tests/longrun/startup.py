"""
How long a start takes against the size of the store: after a clean stop, after a kill.

    python -m tests.longrun.startup [--sizes 1,4,16]

Sizes are in GiB. The messages have 64 KiB of zeros for bodies, and the files are made
sparse once they are full, so 16 GiB fit on most disks. A slope near 0 is wanted: what a
start reads is what was not yet known to be whole, however much there is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twisted.internet.task import Clock

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.wire.record import Draft
from tests.longrun.broker import Broker, send

GIB = 1 << 30
#: Seconds that a GiB more may cost.
SLOPE = 0.05
_BODY = bytes(64 << 10)


def fill(folder: Path, size: int) -> None:
    """Put messages into a store until its commit log has that size."""
    clock = Clock()
    clock.advance(time.time())  # noqa: TID251
    store = MessageStore(str(folder), clock, StoreConfig(message_index_enable=False))
    store.open()
    text = b"UNIQ_KEY\x01x\x02"
    draft = Draft(b"Large", 0, 0, 0, 1, b"\x0a\0\0\1\0\0\x9c\x40", _BODY, text, 0)
    file = 0
    while store.commit_log_max < size:
        store.put(draft, clock.seconds())
        if store.commit_log_max // GIB > file:
            _make_sparse(folder / "commitlog" / f"{file * GIB:020d}")
            file += 1
    store.close()
    for path in (folder / "commitlog").iterdir():
        _make_sparse(path)


def _make_sparse(path: Path) -> None:
    """Give the blocks of zeros back to the file system."""
    subprocess.run(["fallocate", "--dig-holes", str(path)], check=True)


def measure(folder: Path, size: int) -> tuple[float, float]:
    """Fill a store; give the seconds of a start after a stop and after a kill."""
    fill(folder / "data", size)
    broker = Broker(folder, messageIndexEnable=False)
    clean, killed = [], []
    for _ in range(3):
        broker.start()
        clean.append(broker.ready_in)
        _send_some(broker)
        broker.kill()
        broker.start()
        killed.append(broker.ready_in)
        broker.stop()
    return min(clean[1:]), min(killed)


def _send_some(broker: Broker) -> None:
    """Leave something at the end of the log that is not known to be on disk."""
    for answer in broker.link().ask_all(
        send("Large", 0, bytes(1000)) for _ in range(500)
    ):
        assert answer.code == 0, answer


def main(argv: list[str]) -> int:
    """Print the figures and the slopes; return 1 if a slope is too steep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1,4,16")
    sizes = [float(word) for word in parser.parse_args(argv).sizes.split(",")]
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="start-up-") as folder:
            rows.append(measure(Path(folder), int(size * GIB)))
        clean, killed = rows[-1]
        print(f"{size:6.1f} GiB   clean {clean:6.2f} s   killed {killed:6.2f} s")
    if len(sizes) < 2:
        return 0
    over = sizes[-1] - sizes[0]
    slopes = [(rows[-1][kind] - rows[0][kind]) / over for kind in (0, 1)]
    print(f"s per GiB   clean {slopes[0]:8.3f}     killed {slopes[1]:8.3f}")
    return int(max(slopes) > SLOPE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
