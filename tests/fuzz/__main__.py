"""Run the fuzzers at length: ``python -m tests.fuzz --minutes 10 --target json``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import corpus
from tests.fuzz.engines import run_hypothesis
from tests.fuzz.target import Finding, Target
from tests.fuzz.targets import TARGETS


def _hypothesis(target: Target, seconds: float, findings: Path) -> int:
    """Fuzz one target with hypothesis; return how many findings there were."""
    found: set[Path] = set()

    def report(finding: Finding) -> None:
        found.add(corpus.add(target.name, finding.data, findings))
        print(finding, flush=True)

    count = run_hypothesis(target, seconds, report)
    print(f"{target.name}: {count} inputs in {seconds:.0f} s, {len(found)} findings")
    return len(found)


def _atheris(target: Target, seconds: float, findings: Path) -> int:
    """Fuzz one target with atheris, in a process of its own."""
    findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rocketmq-fuzz-") as seeds:
        command = [sys.executable, "-m", "tests.fuzz.atheris_engine", target.name]
        command += [str(int(seconds)), str(findings), f"{seeds}/{target.name}"]
        return int(subprocess.run(command, check=False).returncode != 0)


def main(arguments: list[str]) -> int:
    """Run; return how many findings there were."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="in all")
    parser.add_argument(
        "--target", action="append", choices=sorted(TARGETS), help="all by default"
    )
    parser.add_argument(
        "--engine", choices=("hypothesis", "atheris"), default="hypothesis"
    )
    parser.add_argument(
        "--findings",
        type=Path,
        default=corpus.CORPUS,
        help="the folder for findings; tests/fuzz/corpus by default",
    )
    options = parser.parse_args(arguments)
    names = options.target or list(TARGETS)
    engine = _hypothesis if options.engine == "hypothesis" else _atheris
    seconds = options.minutes * 60 / len(names)
    return sum(engine(TARGETS[name], seconds, options.findings) for name in names)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
