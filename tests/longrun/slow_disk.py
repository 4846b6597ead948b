"""
A disk that takes two seconds to force: who does not wait for it, does not notice.

    python -m tests.longrun.slow_disk [--seconds 20]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.longrun.broker import Broker, Heartbeats, send

#: Every fsync takes so much longer, in seconds.
DELAY = 2.0
#: Of 1,000 answers to others 999 take less, in seconds. The slowest says how busy the
#: machine is; were it the disk, it would take a second or more.
LIMIT = 0.1
_SLOW = f"""
import os, time
def slow(real):
    def force(descriptor):
        time.sleep({DELAY})
        return real(descriptor)
    return force
os.fsync, os.fdatasync = slow(os.fsync), slow(os.fdatasync)
"""


def run(folder: Path, flush: str, seconds: float) -> dict[str, float]:
    """Send and ask for a while; give the figures."""
    broker = Broker(folder, _SLOW, flushDiskType=flush, syncFlushTimeout=60_000)
    broker.start()
    try:
        heartbeats, link = Heartbeats(broker), broker.link()
        waits, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            begin = time.monotonic()
            requests = (send("Slow", queue, bytes(1000)) for queue in range(4))
            answers = list(link.ask_all(requests))
            assert all(answer.code == 0 for answer in answers), answers
            waits.append(time.monotonic() - begin)
            if flush == "ASYNC_FLUSH":
                time.sleep(0.05)
        heartbeats.stop()
    finally:
        broker.kill()
    others = heartbeats.waits
    return {
        "sends, median s": sorted(waits)[len(waits) // 2],
        "others' slowest answer, s": others[-1],
        "others' answers, p99.9 s": others[-1 - len(others) // 1000],
        "others' answers": len(others),
    }


def main(argv: list[str]) -> int:
    """Print the figures; return 1 if somebody else had to wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args(argv).seconds
    wrong = False
    for flush in ("ASYNC_FLUSH", "SYNC_FLUSH"):
        with tempfile.TemporaryDirectory(prefix="slow-disk-") as folder:
            found = run(Path(folder), flush, seconds)
        for name, value in found.items():
            print(f"{flush:12} {name:28} {value:10.3f}")
        wrong = wrong or found["others' answers, p99.9 s"] > LIMIT
        wrong = wrong or found["others' slowest answer, s"] > DELAY / 4
        waited = found["sends, median s"] >= DELAY
        wrong = wrong or waited != (flush == "SYNC_FLUSH")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
