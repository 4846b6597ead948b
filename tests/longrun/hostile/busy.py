"""
Other processes that are hungry for a processor: what "beside a busy machine" means.

    python -m tests.longrun.hostile.busy PARENT
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.servers import ROOT

#: Additions between two looks at whether the parent is still there: some 50 ms.
_ROUNDS = 1_000_000


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Run so many processes that never sleep, of the same priority as all others."""
    command = [sys.executable, "-m", "tests.longrun.hostile.busy", str(os.getpid())]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def main(parent: int) -> None:
    """Use a processor until the parent ends."""
    total = 0
    while os.getppid() == parent:
        for number in range(_ROUNDS):
            total += number


if __name__ == "__main__":
    main(int(sys.argv[1]))
