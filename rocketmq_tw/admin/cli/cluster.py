"""``rocketmq-admin cluster``."""

from __future__ import annotations

from rocketmq_tw.admin.cli.invocation import Invocation, noun_of, verb, watching
from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.results.cluster import Clocks, ClusterStatus

noun = noun_of("cluster", "The state of name servers and brokers.")


@verb(noun, "status")
@watching
def status(ask: Invocation, watch: float | None, times: int | None) -> None:
    """Show all name servers and brokers, with rates and disks."""
    ask.show(lambda admin: admin.cluster.status(), _draw, watch=watch, times=times)


def _draw(found: ClusterStatus, output: Output) -> None:
    output.table(
        ["name server", "state", "brokers"],
        [
            [each.address, "up" if each.responds else each.why, each.brokers]
            for each in found.name_servers
        ],
    )
    output.line()
    output.table(
        [
            "cluster",
            "broker",
            "id",
            "address",
            "version",
            "in/s",
            "out/s",
            "in today",
            "out today",
            "disk",
            "oldest message",
            "active",
        ],
        [
            [
                each.cluster,
                each.name,
                str(each.id),
                each.address,
                each.version,
                each.in_rate,
                each.out_rate,
                each.in_today,
                each.out_today,
                None if each.disk_used is None else f"{each.disk_used:.0%}",
                each.earliest_message_time,
                each.is_active,
            ]
            for each in found.brokers
        ],
    )


@verb(noun, "clocks")
def clocks(ask: Invocation) -> None:
    """Compare the clocks of brokers with that of this host."""

    def draw(found: Clocks, output: Output) -> None:
        output.table(
            ["broker", "address", "seconds ahead", "exact to"],
            [[c.broker, c.address, c.ahead, c.exact_to] for c in found.clocks],
        )

    ask.show(lambda admin: admin.cluster.clocks(), draw)
