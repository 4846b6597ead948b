"""Runs the attacks, and prints a table of what they cost."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.longrun.hostile import clients, days
from tests.longrun.hostile.attack import ATTACKS, Attack
from tests.longrun.hostile.attacks import load
from tests.longrun.hostile.busy import busy
from tests.longrun.hostile.course import Course
from tests.longrun.hostile.servers import raise_descriptor_limit
from tests.longrun.hostile.verdict import Outcome, heading, row


def short() -> list[Attack]:
    """Return some attacks, each for a second: what continuous integration runs."""
    load()
    return shortened([each for each in ATTACKS.values() if each.is_short], 1.0)


def shortened(attacks: list[Attack], seconds: float) -> list[Attack]:
    """Return attacks that last so long at most."""
    return [
        msgspec.structs.replace(each, seconds=min(each.seconds, seconds))
        for each in attacks
    ]


def run(folder: Path, programs: str, attacks: list[Attack]) -> list[str]:
    """
    Run one course; print its table.

    :param programs: ``together``, ``apart`` or ``tls``.
    :returns: why it failed.
    """
    faults: list[str] = []

    def report(outcome: Outcome) -> None:
        print(row(outcome), flush=True)
        faults.extend(f"{outcome.name}: {fault}" for fault in outcome.faults)

    raise_descriptor_limit()
    print(heading(), flush=True)
    lost = Course(folder, programs).run(attacks, report)
    return faults + [f"lost {each}" for each in lost]


def _run_all(options: argparse.Namespace, chosen: list[Attack]) -> list[str]:
    """Run what was asked for; return why it failed."""
    faults = []
    for programs in options.programs:
        with tempfile.TemporaryDirectory(prefix="hostile-") as temporary:
            folder = Path(options.folder or temporary) / programs
            faults += [f"{programs}: {each}" for each in run(folder, programs, chosen)]
    is_all = not options.only and not options.large
    if is_all or options.clients:
        faults += [f"client: {each}" for each in clients.run()]
    if is_all or options.days:
        faults += days.run()
    return faults


def _is_chosen(attack: Attack, options: argparse.Namespace) -> bool:
    """Whether an attack is to run."""
    if options.only:
        return any(part in attack.name for part in options.only)
    return bool(attack.is_large == options.large)


def main(argv: list[str]) -> int:
    """Print the table; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", nargs="*", default=["together", "apart"])
    parser.add_argument("--only", nargs="*", help="parts of the attacks' names")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--large", action="store_true", help="the large numbers alone")
    parser.add_argument("--seconds", type=float, default=600.0, help="of an attack")
    parser.add_argument("--list", action="store_true", help="print the names alone")
    parser.add_argument("--busy", type=int, default=0, help="hungry processes beside")
    parser.add_argument("--clients", action="store_true", help="with --only: them too")
    parser.add_argument("--days", action="store_true", help="with --only: them too")
    parser.add_argument("--folder", help="keep logs and stores there")
    options = parser.parse_args(argv)
    load()
    chosen = [
        each
        for each in (short() if options.short else ATTACKS.values())
        if _is_chosen(each, options)
    ]
    chosen = shortened(chosen, options.seconds)
    if options.list:
        print("\n".join(each.name for each in chosen))
        return 0
    begin = time.monotonic()
    with busy(options.busy):
        faults = _run_all(options, chosen)
    print(f"{len(chosen)} attacks, {time.monotonic() - begin:.0f} s")
    for fault in faults:
        print("FAILED", fault)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
