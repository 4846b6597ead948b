"""``python -m tests.bench``: see :mod:`tests.bench`."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench import rates, rest, servers
from tests.bench.yardstick import PULL, SENDS, Yardstick, find


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--yardstick", help="folder of load.c and floor.py")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each drive")
    parser.add_argument("--only", choices=["send", "pull", "rest"])
    parser.add_argument("--apache", metavar="v53", help="compare reading with Apache's")
    return parser.parse_args()


@contextmanager
def running(server: servers.Server) -> Iterator[servers.Server]:
    """Stop a server at the end."""
    try:
        yield server
    finally:
        server.stop()


def sends(yardstick: Yardstick, rounds: int, seconds: float) -> None:
    """Compare our broker's sends with the floor."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(running(servers.ours(data)))
        floor = stack.enter_context(running(servers.floor(yardstick.floor)))
        ports = {"ours": ours.port, "floor": floor.port}
        rows = [rates.measure(yardstick, s, ports, rounds, seconds) for s in SENDS]
    print(rates.table(rows))


def pulls(
    yardstick: Yardstick, rounds: int, seconds: float, apache: str | None
) -> None:
    """Read what was sent just before; compare with Apache's broker if it is there."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(running(servers.ours(scratch / "ours")))
        ports = {"ours": ours.port}
        if apache:
            ports["apache"] = apache_port(stack, apache, scratch)
        for port in ports.values():
            yardstick.drive(SENDS[1], port, 5.0)  # the messages, and Java's warm-up
            yardstick.drive(PULL, port, 5.0)
        row = rates.measure(yardstick, PULL, ports, rounds, seconds)
    print(rates.table([row]))


def apache_port(stack: ExitStack, release: str, scratch: Path) -> int:
    """Start Apache's name server and broker, with its compiler at full strength."""
    from tests.interop import apache

    apache.build()
    name_server = apache.name_server(release, scratch)
    stack.callback(name_server.abandon)
    broker = apache.broker(
        release, scratch, name_server.address, jvm=("-XX:TieredStopAtLevel=4",)
    )
    stack.callback(broker.abandon)
    return broker.port


def main() -> None:
    """Measure what was asked for."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        if asked.only != "rest":
            yardstick = Yardstick(find(asked.yardstick), Path(scratch))
            if asked.only != "pull":
                sends(yardstick, asked.rounds, asked.seconds)
            if asked.only != "send":
                pulls(yardstick, asked.rounds, asked.seconds, asked.apache)
    if asked.only in (None, "rest"):
        print(rest.told(rest.measure()))


main()
