"""
Hard days of one broker: its files are deleted or damaged, its clock is set.

No peer attacks here: these are the rows of the list of defects that an operator, a disk
or a time server causes. Each returns what went wrong.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.longrun import wall_clock
from tests.longrun.broker import Broker, send

_TOPIC = "HardDay"


def log_file_deleted(folder: Path) -> list[str]:
    """Row 16: with SYNC_FLUSH nothing counts as flushed that is in a deleted file."""
    broker = Broker(folder, flushDiskType="SYNC_FLUSH", syncFlushTimeout=1000)
    broker.start()
    try:
        link = broker.link()
        before = link.ask(send(_TOPIC, 0, b"before")).code
        for path in (folder / "data" / "commitlog").iterdir():
            path.unlink()
        after = [link.ask(send(_TOPIC, 0, b"after")).code for _ in range(20)]
    finally:
        broker.kill()
    faults = [] if before == 0 else [f"the first message got code {before}"]
    if 0 in after:
        faults.append(f"{after.count(0)} of 20 messages in a deleted file are flushed")
    return faults


def hangup(folder: Path) -> list[str]:
    """Row 18: SIGHUP, which tools send after they moved a log, ends nothing."""
    broker = Broker(folder)
    broker.start()
    try:
        link = broker.link()
        broker.signal(signal.SIGHUP)
        code = link.ask(send(_TOPIC, 0, b"after")).code
    finally:
        broker.stop()
    return [] if code == 0 else [f"code {code} after SIGHUP"]


def damaged_documents(folder: Path) -> list[str]:
    """Row 18: a damaged document is named in one sentence, without a traceback."""
    faults = []
    for name in ("topics", "consumerOffset", "subscriptionGroup", "delayOffset"):
        broker = Broker(folder / name)
        broker.start()
        broker.link().ask(send(_TOPIC, 0, b"x"))
        broker.stop()
        config = folder / name / "data" / "config"
        (config / f"{name}.json.bak").unlink(missing_ok=True)
        (config / f"{name}.json").write_bytes(b'{"dataVersion":{"counter":\xff')
        said = _start(broker)
        if "Traceback" in said:
            faults.append(f"{name}.json: a traceback")
        if name not in said:
            faults.append(f"{name}.json is not named: {said[-300:]}")
    return faults


def _start(broker: Broker) -> str:
    """Start a broker that may refuse to; return what it logged."""
    before = broker.log.stat().st_size
    try:
        broker.start(20)
        broker.stop()
    except AssertionError:
        broker.kill()
    return broker.log.read_bytes()[before:].decode(errors="replace")


def clock_set(folder: Path) -> list[str]:
    """Row 10: the time of day is set back and forward by ten minutes."""
    try:
        wall_clock.run(folder)
    except AssertionError as error:
        return [str(error)[:300]]
    return []


DAYS: dict[str, Callable[[Path], list[str]]] = {
    "10 the clock is set by ten minutes": clock_set,
    "16 a file of the log is deleted": log_file_deleted,
    "18 SIGHUP": hangup,
    "18 damaged documents": damaged_documents,
}


def run() -> list[str]:
    """Live through all of them; print a line for each."""
    faults = []
    for name, day in DAYS.items():
        with tempfile.TemporaryDirectory(prefix="hard-day-") as folder:
            found = day(Path(folder))
        print(f"{name:38} {'failed' if found else 'passed'}", flush=True)
        faults += [f"{name}: {fault}" for fault in found]
    return faults


if __name__ == "__main__":
    sys.exit(bool(print(*run(), sep="\n")))
