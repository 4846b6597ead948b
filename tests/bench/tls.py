"""
Sends by TLS, compared with plain ones.

Each server accepts both on one port, so that both kinds are measured in one run, on the
same process and store. What counts is the ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.bench import rates, servers
from tests.bench.apache import ApacheBroker
from tests.bench.load import LoadGenerator, Shape
from tests.bench.rates import APACHE, OURS, Timing
from tests.bench.report import Table, number
from tests.bench.running import folder, stopping
from tests.bench.sides import warm
from tests.tls.authority import Authority

TOPIC = "BenchTls"


def table(apache: str | None, timing: Timing, shapes: Sequence[Shape]) -> Table:
    """Measure both kinds of sends with each server."""
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        load = LoadGenerator(scratch, with_tls=True)
        ports: dict[str, int] = {}
        settings = _settings(scratch)
        if apache:
            flags = tuple(f"-D{key}={value}" for key, value in settings.items())
            broker = ApacheBroker(apache, scratch, jvm=flags)
            ports[APACHE] = stack.enter_context(stopping(broker)).port
        conf = {"defaultTopicQueueNums": 4, **settings}
        own = servers.ours(scratch / "ours", conf=conf)
        ports[OURS] = stack.enter_context(stopping(own)).port
        ports.update({_by_tls(name): port for name, port in list(ports.items())})
        by_tls = frozenset(name for name in ports if name.endswith("TLS"))
        warm(load, ports, shapes, timing.warm, TOPIC, by_tls=by_tls)
        rows = [
            rates.measure(
                load,
                shape,
                ports,
                rounds=timing.rounds,
                seconds=timing.seconds,
                topic=TOPIC,
                by_tls=by_tls,
            )
            for shape in shapes
        ]
    return _table(rows)


def _by_tls(name: str) -> str:
    """Return the name under which a server is driven by TLS."""
    return f"{name}, TLS"


def _settings(scratch: Path) -> dict[str, str]:
    """Return settings with which a server accepts both."""
    authority = Authority(str(scratch / "tls"))
    key = rsa.generate_private_key(65537, 2048)
    certificate, path = authority.issue(key=key)
    return {
        "tls.server.mode": "permissive",
        "tls.server.certPath": certificate,
        "tls.server.keyPath": path,
        "tls.test.mode.enable": "false",
    }


def _table(rows: list[rates.Row]) -> Table:
    """Make a table: of each server the rates and p99 of both kinds, and their ratio."""
    names = [name for name in rows[0].drives if not name.endswith("TLS")]
    columns = ["shape"]
    for name in names:
        columns += [name, _by_tls(name), f"{name}: TLS / plain"]
    lines = []
    for row in rows:
        cells = [row.shape]
        for name in names:
            for kind in (name, _by_tls(name)):
                rate = number(row.median(kind, rates.rate_of))
                p99 = number(row.median(kind, rates.p99_of))
                cells.append(f"{rate} ({p99})")
            ratio = row.ratio(_by_tls(name), name, rates.rate_of)
            cells.append(f"{ratio:.2f}")
        lines.append(cells)
    note = "Messages a second (p99 in microseconds)."
    return Table("Sends by TLS and plain, ASYNC_FLUSH", columns, lines, note)
