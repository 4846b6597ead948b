"""
Apache's exporter for Prometheus, run against our servers and against Apache's 5.3.

``python -m tests.interop.exporter SOURCE`` builds ``rocketmq-exporter`` with Maven,
from a Git address or a checkout, for there is no release of it. On ours it must show
each series that it shows on Apache's, with the same labels, and log no error. (It shows
nothing of a broker of 5.4 or later of Apache's, which sends no ``brokerVersion``.) What
it asks and reads is in ``tests/broker/test_exporter.py``, too, which runs each time.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.ports import free_port

from . import apache
from .lab import OURS, Cluster, Lab
from .sources import WebProgram, built

TOPIC, GROUP = "Exported", "G_Exported"
#: How often it asks, in place of once a minute.
OFTEN = "0/10 * * * * ?"
TASKS = (
    "TopicOffset",
    "Producer",
    "ConsumerOffset",
    "BrokerStatsTopic",
    "BrokerStats",
    "BrokerRuntimeStats",
)
#: Names of series, each with the names of its labels.
Series = dict[str, frozenset[str]]
#: What it logs of a response that it cannot use.
_WRONG = re.compile(r"ERROR|[a-z]Exception|[a-z]Error\b")
#: It asks for what was never counted, is told so, and takes that for no sample.
_USUAL = re.compile(r"not exist|The stats .* not|CODE: 1 ")


class Exporter(WebProgram):
    """The exporter of a cluster, in a process of its own."""

    def __init__(self, jar: Path, names: str, scratch: Path) -> None:
        options = {
            "rocketmq.config.namesrvAddr": names,
            "grpc.server.port": free_port(),
            **{f"task.collect{name}.cron": OFTEN for name in TASKS},
        }
        super().__init__(jar, scratch, options)

    def series(self) -> Series:
        """Return what it shows now."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/metrics", timeout=30
            ) as page:
                text = page.read().decode()
        except urllib.error.HTTPError:
            return {}  # It has not asked yet.
        return {
            sample.name: frozenset(sample.labels)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def complaints(self) -> list[str]:
        """Return the lines of its log that say what went wrong."""
        log = self.home / "logs" / "exporterlogs" / "rocketmq-exporter.log"
        lines = log.read_text(errors="replace").splitlines()
        wrong = [line for line in lines if _WRONG.search(line)]
        return [line for line in wrong if not _USUAL.search(line)]


def exported(make: str, jar: Path, scratch: Path) -> tuple[Series, list[str]]:
    """Run a cluster with some messages and the exporter: its series and complaints."""
    lab = Lab(scratch / make)
    exporter = None
    try:
        cluster = lab.cluster(make)
        use(lab, cluster)
        exporter = Exporter(jar, cluster.names.address, scratch / make)
        return settled(exporter), exporter.complaints()
    finally:
        if exporter is not None:
            exporter.end()
        lab.close()


def use(lab: Lab, cluster: Cluster) -> None:
    """Send messages, some of which go to the dead letters, and stay connected."""
    names = cluster.names
    lab.make_topic(names, TOPIC, queues=4)
    options = {"topic": TOPIC, "group": GROUP, "refuse": 10, "retries": 1}
    consumer = lab.consumer("v53", names, **options)
    consumer.wait_for("started")
    plan = {"plan": "sync:200,commit:1", "linger": 600, "group": "P_Exported"}
    sender = lab.sender("v53", names, topic=TOPIC, **plan)
    sender.wait_for("sent", 201)
    consumer.wait_for("message", 150)


def settled(exporter: Exporter, quiet: float = 35, patience: float = 240) -> Series:
    """
    Collect what it shows until nothing was new for three of its rounds.

    Series of the dead letters come late, and those of the past minute go again.
    """
    found: Series = {}
    began = newest = time.monotonic()
    while not found or time.monotonic() < newest + quiet:
        assert time.monotonic() < began + patience, f"still new: {sorted(found)}"
        seen = exporter.series()
        if seen.keys() - found.keys():
            newest = time.monotonic()
        found.update(seen)
        time.sleep(2)
    return found


def main(words: list[str]) -> int:
    """Run the command line; return 1 if anything is missing or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.exporter")
    parser.add_argument("source", help="a Git address, or a checkout")
    asked = parser.parse_args(words)
    apache.build()
    with tempfile.TemporaryDirectory(prefix="exporter-") as directory:
        scratch = Path(directory)
        jar = built(asked.source, scratch, "rocketmq-exporter-*-exec.jar")
        theirs, _ = exported("v53", jar, scratch)
        ours, complaints = exported(OURS, jar, scratch)
    wrong = [f"not shown: {name}" for name in sorted(theirs.keys() - ours.keys())]
    wrong += [
        f"other labels: {name} {sorted(ours[name] ^ labels)}"
        for name, labels in sorted(theirs.items())
        if name in ours and ours[name] != labels
    ]
    wrong += complaints
    more = sorted(ours.keys() - theirs.keys())
    print(f"{len(theirs)} series on Apache's, {len(ours)} on ours; only there: {more}")
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
