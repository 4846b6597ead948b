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
from tests.bench.rates import APACHE, OURS, Timing, named, pair_table
from tests.bench.report import Table
from tests.bench.running import folder, stopping
from tests.bench.sides import warm
from tests.tls.authority import Authority

TOPIC = "BenchTls"
#: What ends the names of those that are driven by TLS.
KIND = "TLS"


def table(apache: str | None, timing: Timing, shapes: Sequence[Shape]) -> Table:
    """Measure both kinds of sends with each server."""
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        load = LoadGenerator(scratch, with_openssl=True)
        ports: dict[str, int] = {}
        settings = _settings(scratch)
        if apache:
            flags = tuple(f"-D{key}={value}" for key, value in settings.items())
            broker = ApacheBroker(apache, scratch, jvm=flags)
            ports[APACHE] = stack.enter_context(stopping(broker)).port
        conf = {"defaultTopicQueueNums": 4, **settings}
        own = servers.ours(scratch / "ours", conf=conf)
        ports[OURS] = stack.enter_context(stopping(own)).port
        by_tls = {named(name, KIND): port for name, port in ports.items()}
        ports |= by_tls
        parameters = {name: {"tls": 1} for name in by_tls}
        warm(load, ports, shapes, timing.warm, TOPIC, parameters=parameters)
        rows = [
            rates.measure(
                load,
                shape,
                ports,
                rounds=timing.rounds,
                seconds=timing.seconds,
                topic=TOPIC,
                parameters=parameters,
            )
            for shape in shapes
        ]
    return pair_table("Sends by TLS and plain, ASYNC_FLUSH", KIND, rows)


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
