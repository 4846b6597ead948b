"""Runs the scenarios, and prints when each thing was noticed and was as before."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.longrun.partition.cluster import DEFAULTS, SHORT, Cluster
from tests.longrun.partition.scenarios import SCENARIOS, Figures, Scene, compare

#: Settings of a master that waits for its slave, and of one that does not.
ROLES: dict[str, dict[str, object]] = {
    "SYNC_MASTER": {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2},
    "ASYNC_MASTER": {"brokerRole": "ASYNC_MASTER"},
}
#: What depends on the role, and is run with each.
_BOTH = ("cut-off",)


def run(
    folder: Path,
    role: str,
    names: Iterable[str],
    seconds: float,
    times: dict[str, int] = DEFAULTS,
    seed: int = 1,
) -> dict[str, Figures]:
    """Run some scenarios with one cluster; return and print the figures of each."""
    cluster = Cluster(folder, times, **ROLES[role])
    scene = Scene(
        folder=folder,
        cluster=cluster,
        seconds=seconds,
        waits=role == "SYNC_MASTER",
        seed=seed,
    )
    chosen = {name: SCENARIOS[name] for name in names}
    found: dict[str, Figures] = {}
    try:
        cluster.start()
        scene.start()
        for name, scenario in [*chosen.items(), ("in the end", compare)]:
            begin = time.monotonic()
            found[name] = scenario(scene)
            found[name]["took, s"] = time.monotonic() - begin
            show(role, name, found[name])
    except AssertionError:
        print(cluster.last_lines(), file=sys.stderr)
        raise
    finally:
        cluster.end()
    return found


def show(role: str, name: str, figures: Figures) -> None:
    """Print the figures of one scenario."""
    for figure, value in figures.items():
        print(f"{role:13} {name:21} {figure:42} {value:9.2f}", flush=True)


def main(argv: list[str]) -> int:
    """Print the figures; an AssertionError says which promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", nargs="*", choices=list(SCENARIOS))
    parser.add_argument("--roles", nargs="*", default=list(ROLES), choices=list(ROLES))
    parser.add_argument("--short", action="store_true", help="notice things sooner")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(argv)
    if options.list:
        for name, scenario in SCENARIOS.items():
            print(f"{name:22} {(scenario.__doc__ or '').strip().splitlines()[0]}")
        return 0
    for role in options.roles:
        names = options.only or list(SCENARIOS if role == "SYNC_MASTER" else _BOTH)
        with tempfile.TemporaryDirectory(prefix="partition-") as folder:
            times = SHORT if options.short else DEFAULTS
            run(Path(folder), role, names, options.seconds, times, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
