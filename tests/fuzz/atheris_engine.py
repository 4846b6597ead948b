"""
The engine ``atheris``: libFuzzer, which follows the branches that an input reaches.

It runs in a process of its own, as libFuzzer ends the process with the first finding.
The modules under test are instrumented when they are imported, so this must be imported
before them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris  # type: ignore[import-not-found]

with atheris.instrument_imports(include=["rocketmq_tw"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz import corpus
from tests.fuzz.engines import check_time
from tests.fuzz.mutations import LONGEST, PIECES
from tests.fuzz.target import Finding, Target, check

#: Only each so many inputs are counted: counting takes twenty times as long as reading.
COUNTED = 4


class _Runner:
    """Reads inputs of one target, and keeps findings."""

    def __init__(self, target: Target, findings: Path) -> None:
        self._target = target
        self._findings = findings
        self._number = 0

    def one(self, data: bytes) -> None:
        """Read an input; end the process with a finding."""
        self._number += 1
        if self._number % COUNTED:
            self._target.prepare()
            try:
                self._target.run(data)
            except self._target.errors:
                return
            except Exception:
                pass
            else:
                return
        try:
            check(self._target, data)
            check_time(self._target, data)
        except Finding as finding:
            path = corpus.add(self._target.name, data, self._findings)
            print(f"{path}: {finding}", flush=True)
            raise


def main(name: str, seconds: int, findings: str, seeds: str) -> None:
    """
    Fuzz one target.

    :param findings: the folder for findings.
    :param seeds: a folder to which seeds are written, and inputs that reach more.
    """
    target = TARGETS[name]
    folder = Path(seeds)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    words = folder.with_suffix(".dict")
    lines = (
        "".join(f"\\x{byte:02x}" for byte in piece)
        for piece in (*PIECES, *target.pieces)
        if piece
    )
    words.write_text("".join(f'"{line}"\n' for line in lines))
    options = (
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        f"-dict={words}",
        "-rss_limit_mb=1024",
        "-timeout=20",
        f"-artifact_prefix={findings}/",
    )
    atheris.Setup([sys.argv[0], *options, seeds], _Runner(target, Path(findings)).one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
