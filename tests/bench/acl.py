"""
Signed sends to a broker with access control, compared with sends to one without.

All servers run side by side. Ours asks who sends and whether they may; Apache's asks
only who, because the part that asks more is in no registry. What counts is the ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from tests.bench import rates, servers
from tests.bench.apache import ApacheBroker
from tests.bench.load import LoadGenerator, Shape
from tests.bench.rates import APACHE, OURS, Timing, named, pair_table
from tests.bench.report import Table
from tests.bench.running import folder, stopping
from tests.bench.sides import warm

TOPIC = "BenchAcl"
#: What ends the names of those with access control.
KIND = "signed"

_USER, _SECRET = "bench-user", "secret-of-bench"
_WHO = f'{{"username":"{_USER}","password":"{_SECRET}"}}'
SETTINGS = {
    "authenticationEnabled": "true",
    "authorizationEnabled": "true",
    "initAuthenticationUser": _WHO,
}
_PROVIDERS = "org.apache.rocketmq.auth.authentication.provider"
_USERS = f"{_PROVIDERS}.LocalAuthenticationMetadataProvider"
FOR_APACHE = {
    **SETTINGS,
    "authorizationEnabled": "false",
    "authenticationProvider": f"{_PROVIDERS}.DefaultAuthenticationProvider",
    "authenticationMetadataProvider": _USERS,
}


def table(apache: str | None, timing: Timing, shapes: Sequence[Shape]) -> Table:
    """Measure both kinds of brokers of each make."""
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        load = LoadGenerator(scratch, with_openssl=True)
        ports: dict[str, int] = {}
        for name, more in ((APACHE, {}), (named(APACHE, KIND), FOR_APACHE)):
            if apache:
                broker = ApacheBroker(apache, scratch, brokers=2, **more)
                ports[name] = stack.enter_context(stopping(broker)).port
        for name, more in ((OURS, {}), (named(OURS, KIND), SETTINGS)):
            conf = {"defaultTopicQueueNums": 4, **more}
            own = servers.ours(scratch / name.replace(", ", "-"), conf=conf)
            ports[name] = stack.enter_context(stopping(own)).port
        parameters = {
            name: {"user": _USER, "secret": _SECRET}
            for name in ports
            if name.endswith(KIND)
        }
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
    title = "Sends with access control and without, ASYNC_FLUSH"
    return pair_table(title, KIND, rows)
