"""
Every ``mqadmin`` command on Apache's servers and on ours, and a table of the results.

``python -m tests.interop.mqadmin_table`` runs the script of
:mod:`.mqadmin.script` with each release's tool on servers of both makes, and prints
how what they printed compares, with the lines that only one of both printed. It ends
with the number of commands that do not what the script says. Some ten minutes.
``python -m doc.mqadmin`` writes the page with these expectations.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from . import apache
from .lab import OURS
from .mqadmin.command import Command
from .mqadmin.making import MAKING
from .mqadmin.result import Result
from .mqadmin.script import SCRIPT
from .mqadmin.side import Side


def compare(release: str, commands: tuple[Command, ...], scratch: Path) -> list[Result]:
    """Run commands on servers of both makes at once; return what they printed."""
    theirs = Side(release, release, scratch / f"theirs-{release}-lab")
    ours = Side(OURS, release, scratch / f"ours-{release}-lab")
    failures: list[BaseException] = []

    def run(side: Side) -> None:
        try:
            side.run(commands)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(side,)) for side in (theirs, ours)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    pairs = zip(theirs.printed, ours.printed, strict=True)
    return [
        Result(command, release, text, mine) for (command, text), (_, mine) in pairs
    ]


def _shown(result: Result) -> str:
    """Return a line about a result, and the lines that differ."""
    command, complaint = result.command, result.complaint()
    if complaint:
        return f"{result.release} WRONG   {command.stage} {complaint}"
    line = f"{result.release} {command.expected.value:7} {command.text}"
    stage = f" ({command.stage})" if command.stage else ""
    difference = "" if result.is_same else f"\n{result.difference()}"
    return f"{line}{stage}{difference}"


def _counted(release: str, results: list[Result]) -> str:
    """Return how many there are of each kind."""
    counts = Counter(
        "WRONG" if each.complaint() else each.command.expected.value for each in results
    )
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    return f"{release}: {len(results)} commands: {kinds}"


def _keep(results: list[Result], folder: Path) -> None:
    """Write all that was printed."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, result in enumerate(results):
        words = re.sub(r"\W+", "-", result.command.text)[:80]
        for side in ("theirs", "ours"):
            path = folder / f"{result.release}-{number:03}-{words}.{side}"
            path.write_text(getattr(result, side))


def main(words: list[str]) -> int:
    """Run the command line; return how many commands do not what they should."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.mqadmin_table")
    parser.add_argument("--release", choices=("v49", "v55"), action="append")
    parser.add_argument("--only", help="a regular expression of commands")
    parser.add_argument("--keep", type=Path, help="where to write all output")
    asked = parser.parse_args(words)
    apache.build()
    # What the others show is made in any case.
    commands = tuple(
        command
        for command in SCRIPT
        if command in MAKING
        or asked.only is None
        or re.search(asked.only, command.text)
    )
    wrong = 0
    for release in asked.release or ("v55", "v49"):
        with tempfile.TemporaryDirectory(prefix="mqadmin-lab-") as scratch:
            results = compare(release, commands, Path(scratch))
        for result in results:
            print(_shown(result))
        print(_counted(release, results), flush=True)
        wrong += sum(bool(result.complaint()) for result in results)
        if asked.keep is not None:
            _keep(results, asked.keep)
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
