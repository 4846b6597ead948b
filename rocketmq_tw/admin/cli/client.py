"""``rocketmq-admin client``."""

from __future__ import annotations

import click

from rocketmq_tw.admin.cli.invocation import Invocation, noun_of, verb, watching
from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.results.clients import ConnectedClients, RunningInfo

noun = noun_of("client", "Connected clients, and what consumers do.")


@verb(noun, "list")
@watching
def list_(ask: Invocation, watch: float | None, times: int | None) -> None:
    """List the producers and consumers of all brokers."""

    def draw(found: ConnectedClients, output: Output) -> None:
        output.table(
            ["client", "address", "language", "version", "produces", "consumes"],
            [
                [c.client_id, c.address, c.language, c.version, c.produces, c.consumes]
                for c in found.clients
            ],
        )

    ask.show(lambda admin: admin.clients.list(), draw, watch=watch, times=times)


@verb(noun, "show")
@click.argument("group")
@click.argument("client_id")
@click.option("--stack", is_flag=True, help="Also what its threads do now.")
def show(ask: Invocation, group: str, client_id: str, stack: bool) -> None:
    """Ask a consumer for its queues, times and rates."""

    def draw(found: RunningInfo, output: Output) -> None:
        output.fields(
            [
                ("client", found.client_id),
                ("group", found.group),
                ("started", found.started),
                ("version", found.version),
                ("mode", found.mode),
                ("ordered", found.ordered),
            ]
        )
        output.line()
        output.table(
            ["topic", "broker", "queue", "committed", "cached", "last pull"],
            [
                [
                    q.topic,
                    q.broker,
                    str(q.queue_id),
                    q.committed,
                    q.cached,
                    q.last_pull,
                ]
                for q in found.queues
            ],
        )
        output.line()
        output.table(
            ["topic", "consumed/s", "failed/s", "seconds each", "failures"],
            [
                [t.topic, t.ok_rate, t.failed_rate, t.consume_time, t.failures]
                for t in found.topics
            ],
        )
        if found.stack:
            output.line()
            output.block(found.stack)

    ask.show(lambda admin: admin.clients.get(group, client_id, stack=stack), draw)
