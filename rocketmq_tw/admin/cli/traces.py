"""Traces as they are printed for people."""

from __future__ import annotations

from rocketmq_tw.admin.cli.output import Output
from rocketmq_tw.admin.results.traces import MessageTrace, TraceEvent


def draw_trace(found: MessageTrace, output: Output) -> None:
    """Print what became of a message, one event a line."""
    sent = next((each for each in found.events if each.kind == "Pub"), None)
    if sent is not None:
        output.fields(
            [
                ("topic", sent.topic),
                ("tag", sent.tag),
                ("keys", sent.keys),
                ("stored at", sent.broker),
            ]
        )
        output.line()
    output.table(
        ["time", "record", "group", "client", "took", "result", "failed before"],
        [
            [
                each.time,
                each.kind,
                each.group,
                each.client,
                None if each.cost is None else f"{each.cost * 1000:.0f} ms",
                _result(each),
                each.retries,
            ]
            for each in found.events
        ],
    )
    if not found.is_complete:
        output.line("there may be more: give --limit or --since")
    if found.unreadable:
        output.warn(f"{found.unreadable} records beside these cannot be read")


def _result(event: TraceEvent) -> str | None:
    """Return how it went."""
    if event.outcome is not None or event.success is None:
        return event.outcome
    return "ok" if event.success else "failed"
