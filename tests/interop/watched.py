"""
What Grafana would show of our cluster, asked of a real Prometheus.

``python -m tests.interop.watched`` runs a cluster in which something of each kind
happens, lets Prometheus scrape it, and asks all that the dashboards ask which Apache's
projects publish, and our own; it prints which queries find something. ``--apache`` does
the same with a broker of 5.5: what finds something there must do so on ours, and what
:mod:`tests.interop.dashboards` says is empty must be so there. ``--exporter SOURCE``
builds and runs Apache's exporter, too, for its two dashboards.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tests.ports import free_port

from . import apache
from .dashboards import NATIVE, STUDIO, with_exporter
from .exporter import Exporter
from .exporter_dashboards import DETAILED, OVERVIEW
from .grafana import DATA, Answer, Dashboard, answers, load
from .lab import CHECKS, OURS, QUIET, Lab, Server
from .program import Program
from .prometheus import OPERATE, Prometheus
from .sources import built
from .test_rocketmq_admin import Admin

TOPIC, LATE_TOPIC = "Watched", "WatchedLate"
GROUP, FAILING, LATE, POPPING = "G_Watched", "G_Failing", "G_Late", "G_Popping"
CHOSEN = {"topic": TOPIC, "group": GROUP}
PLAN = "sync:40,batch:20,commit:3,rollback:3,delayed:3,timed:3,recalled:2"
BROKERS, NAMES, EXPORTER = "rocketmq-broker", "rocketmq-namesrv", "exporter"


class Watched(Struct, frozen=True):
    """
    A cluster of ours or of Apache's, and who watches it.

    :ivar pages: where metrics are: ``host:port`` by what it is.
    """

    lab: Lab
    names: Server
    pages: dict[str, str]
    prometheus: Prometheus
    sender: Program


def _settings(pages: dict[str, str], what: str) -> dict[str, Any]:
    port = free_port()
    pages[what] = f"127.0.0.1:{port}"
    return {
        "metricsExporterType": "PROM",
        "metricsPromExporterHost": "127.0.0.1",
        "metricsPromExporterPort": port,
    }


@contextmanager
def watched(scratch: Path, make: str, jar: Path | None = None) -> Iterator[Watched]:
    """
    Run a master and a slave, and all kinds of clients, until everything was seen.

    :param jar: of Apache's exporter, if it is to run, too.
    """
    lab = Lab(scratch / make)
    ending: list[Any] = []
    pages: dict[str, str] = {}
    try:
        ours = make == OURS
        names = lab.name_server(make, **(_settings(pages, "names") if ours else {}))
        more = CHECKS if ours else {**CHECKS, **QUIET}
        pair = {**more, "name": "broker-a", "recallMessageEnable": "true"}
        lab.broker(make, names, **pair, **_settings(pages, "master"))
        slave = {"brokerId": 1, "brokerRole": "SLAVE", "haListenPort": free_port()}
        lab.broker(make, names, **pair, **slave, **_settings(pages, "slave"))
        jobs = {BROKERS: [pages["master"], pages["slave"]]}
        jobs |= {NAMES: [pages["names"]]} if ours else {}
        if jar is not None:
            exporter = Exporter(jar, names.address, scratch / make)
            ending.append(exporter.end)
            jobs[EXPORTER] = [f"127.0.0.1:{exporter.port}"]
        # The exporter's dashboards want these two, which its users set themselves.
        env = {EXPORTER: {"Cluster": "DefaultCluster", "Env": "test"}}
        prometheus = Prometheus(scratch / make, jobs, env)
        ending.append(prometheus.end)
        yield Watched(lab, names, pages, prometheus, _use(lab, names))
    finally:
        for end in ending:
            end()
        lab.close()


def _use(lab: Lab, names: Server) -> Program:
    """Let something of each kind happen; return the sender, which stays connected."""
    admin = Admin(names.address)
    admin.json("topic", "create", TOPIC, "--queues", "2")
    admin.json("topic", "create", LATE_TOPIC, "--queues", "2")

    def consumer(group: str, topic: str = TOPIC, **options: Any) -> Program:
        started = lab.consumer(OURS, names, topic=topic, group=group, **options)
        started.wait_for("started")
        return started

    consumer(GROUP)
    failing = consumer(FAILING, refuse=2, retries=1)
    late = consumer(LATE, LATE_TOPIC)
    more = {"delay": 2, "linger": 600}
    sender = lab.sender(OURS, names, topic=TOPIC, plan=PLAN, **more)
    few = lab.sender(OURS, names, topic=LATE_TOPIC, plan="sync:4")
    late.wait_for("message", 4)
    late.stop()
    few.finish()
    lab.sender(OURS, names, topic=LATE_TOPIC, plan="sync:30").finish()
    sender.wait_for("sent", 54)
    popping = lab.receiver(names, topic=TOPIC, group=POPPING, count=30, refuse=3)
    failing.wait_for("refused", 30)
    popping.wait_for("done")
    return sender


def problems(seen: list[Answer]) -> list[str]:
    """Return what finds nothing without a reason, or something in spite of one."""
    return [each.line for each in seen if each.is_wrong]


#: Panels of ours that are empty where nothing of the kind happens.
QUIET_PANELS = {
    "Requests that wait": "none waits",
    "Refused because of a limit": "nothing is refused",
}


def own() -> Dashboard:
    """Return our own dashboard."""
    found = load(OPERATE / "grafana.json")
    queries = (
        replace(each, rare=QUIET_PANELS.get(each.panel, "")) for each in found.queries
    )
    return replace(found, queries=tuple(queries))


def asked(make: str, exporter: bool) -> tuple[Dashboard, ...]:
    """Return the dashboards that fit what runs."""
    found: tuple[Dashboard, ...] = (STUDIO, NATIVE)
    if exporter:
        found = (with_exporter(STUDIO), NATIVE, OVERVIEW, DETAILED)
    return (*found, own()) if make == OURS else found


def look(
    scene: Watched, dashboards: Sequence[Dashboard], patience: float
) -> dict[str, list[Answer]]:
    """Ask all dashboards until all is as it should be, or patience ends."""
    end = time.monotonic() + patience
    while True:
        seen = {
            each.title: answers(each, scene.prometheus, CHOSEN) for each in dashboards
        }
        if time.monotonic() > end or not any(map(problems, seen.values())):
            return seen
        time.sleep(2)


def report(make: str, seen: Mapping[str, list[Answer]]) -> list[str]:
    """Print a table for each dashboard; return what is not as it should be."""
    for title, found in seen.items():
        count = sum(each.state == DATA for each in found)
        print(f"\n{title}, {make}: {count} of {len(found)} queries find something")
        for each in found:
            print(f"  {each.line}")
    return [line for found in seen.values() for line in problems(found)]


def main(words: list[str]) -> int:
    """Run the command line; return 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.watched")
    parser.add_argument("--apache", action="store_true", help="a broker of 5.5, too")
    parser.add_argument(
        "--exporter", metavar="SOURCE", help="a Git address, or a folder"
    )
    parser.add_argument("--patience", type=float, default=120, help="in seconds")
    given = parser.parse_args(words)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="watched-") as directory:
        scratch, jar = Path(directory), None
        if given.exporter:
            jar = built(given.exporter, scratch, "rocketmq-exporter-*-exec.jar")
        if given.apache:
            apache.build()
        for make in (OURS, "v55") if given.apache else (OURS,):
            # The exporter shows nothing of Apache's brokers of 5.4 and later.
            with watched(scratch, make, jar if make == OURS else None) as scene:
                fitting = asked(make, bool(jar) and make == OURS)
                seen = look(scene, fitting, given.patience)
                wrong += report(make, seen)
    for line in wrong:
        print(f"not as it should be: {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
