"""
A disk that is full, and then is not: nothing acknowledged is lost, service returns.

    python -m tests.longrun.disk_full [--rounds 20]

Needs the right to mount a small tmpfs. In each round another file leaves some MiB to
the broker; it is sent to until it refuses, must still be readable, and must take
messages again soon after the other file is gone. Every third round ends with a kill.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rocketmq_tw.wire import record
from rocketmq_tw.wire.codes import ResponseCode
from tests.longrun.broker import Broker, Link, send

TOPIC = "Full"
SIZE = 256 << 20
#: Seconds until messages are taken again.
PATIENCE = 30.0


class SmallDisk:
    """A tmpfs, mounted at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._other = folder / "other"

    def mount(self) -> None:
        """:raises subprocess.CalledProcessError: we may not."""
        words = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={SIZE}",
            "tmpfs",
            str(self.folder),
        ]
        subprocess.run(words, check=True, capture_output=True)

    def unmount(self) -> None:
        """Forget all that is on it."""
        subprocess.run(["umount", str(self.folder)], check=True)

    def leave(self, size: int) -> None:
        """Let another file take all but so many bytes."""
        room = os.statvfs(self.folder)
        free = room.f_bavail * room.f_frsize - size
        with self._other.open("wb") as file:
            if free > 0:
                os.posix_fallocate(file.fileno(), 0, free)

    def empty(self) -> None:
        """Remove the other file."""
        self._other.unlink()


def play(broker: Broker, disk: SmallDisk, ledger: list[bytes], number: int) -> float:
    """Play one round; return the seconds until service was back."""
    disk.leave((4 + 5 * (number % 3)) << 20)
    link = broker.link()
    refusal = None
    while refusal is None:
        body = b"%06d" % len(ledger) + bytes(20_000)
        answer = link.ask(send(TOPIC, 0, body))
        if answer.code == 0:
            ledger.append(body)
        else:
            refusal = answer
    assert refusal.code == ResponseCode.SERVICE_NOT_AVAILABLE, refusal
    assert str(disk.folder) in str(refusal.remark), refusal.remark
    check(link, ledger)
    if number % 3 == 2:
        broker.kill()
        broker.start()
        check(broker.link(), ledger)
    disk.empty()
    begin = time.monotonic()
    link = broker.link()
    while True:
        body = b"%06d again" % len(ledger)
        answer = link.ask(send(TOPIC, 0, body))
        if answer.code == 0:
            ledger.append(body)
            return time.monotonic() - begin
        assert time.monotonic() - begin < PATIENCE, answer.remark
        time.sleep(0.05)


def check(link: Link, ledger: list[bytes]) -> None:
    """Read all, and compare."""
    offset = 0
    while offset < len(ledger):
        answer = link.pull(TOPIC, 0, offset)
        assert answer.status == 0, (offset, answer.status, answer.remark)
        for message in record.decode_all(answer.body):
            assert message.queue_offset == offset
            assert message.body == ledger[offset], f"another message at {offset}"
            offset += 1
            if offset == len(ledger):
                break


def run(rounds: int) -> dict[str, float]:
    """Play; give the figures."""
    with tempfile.TemporaryDirectory(prefix="disk-full-") as folder:
        disk = SmallDisk(Path(folder))
        disk.mount()
        broker = Broker(
            disk.folder / "broker",
            mappedFileSizeCommitLog=4 << 20,
            mappedFileSizeConsumeQueue=20_000,
            cleanFileForciblyEnable=False,
            messageIndexEnable=False,
        )
        try:
            broker.start()
            ledger = [b"while there is room"]
            broker.link().ask(send(TOPIC, 0, ledger[0]))
            # The table of topics is on disk; a kill may take one that never was.
            time.sleep(1.0)
            back = [play(broker, disk, ledger, number) for number in range(rounds)]
            broker.stop()
        finally:
            broker.kill()
            disk.unmount()
    return {"rounds": rounds, "messages": len(ledger), "slowest return, s": max(back)}


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    for name, value in run(parser.parse_args(argv).rounds).items():
        print(f"{name:24} {value:10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
