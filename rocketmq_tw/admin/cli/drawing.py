"""Messages as they are printed for people."""

from __future__ import annotations

from collections.abc import Iterable

from rocketmq_tw.admin.cli.bodies import SHORT, body_text
from rocketmq_tw.admin.cli.output import Output, cell, moment
from rocketmq_tw.admin.results.messages import FoundMessage

#: Characters of a body in a list.
_IN_LIST = 60


def draw_message(
    found: FoundMessage, output: Output, form: str, full: bool = False
) -> None:
    """Print one message with all that belongs to it."""
    output.fields(
        [
            ("message id", found.message_id),
            ("offset id", found.offset_id),
            ("topic", found.topic),
            ("queue", f"{found.broker}/{found.queue_id}"),
            ("queue offset", found.queue_offset),
            ("tag", found.tag),
            ("keys", found.keys),
            ("born", f"{moment(found.born)} at {found.born_host}"),
            ("stored", f"{moment(found.stored)} at {found.store_host}"),
            ("failed before", found.deliveries),
            ("size", f"{found.size} bytes, body {len(found.body)}"),
        ]
    )
    if found.properties:
        output.line()
        output.table(["property", "value"], sorted(found.properties.items()))
    text = body_text(found.body, form, None if full else SHORT)
    if text:
        output.line()
        output.block(text)


def draw_list(
    messages: Iterable[FoundMessage],
    output: Output,
    form: str,
    full: bool = False,
    *,
    headers: bool = True,
) -> None:
    """
    Print messages, one a row with the beginning of its body.

    :param full: print the bodies whole, below each message.
    :param headers: draw a table; otherwise only a line each, as they come.
    """
    if headers and not full:
        output.table(
            ["stored", "message id", "queue", "offset", "tag", "body"],
            [
                [
                    m.stored,
                    m.message_id,
                    f"{m.broker}/{m.queue_id}",
                    m.queue_offset,
                    m.tag,
                    _beginning(m, form),
                ]
                for m in messages
            ],
        )
        return
    for m in messages:
        where = f"{m.broker}/{m.queue_id}:{m.queue_offset}"
        line = [moment(m.stored), m.message_id, where, m.tag or "-"]
        if full:
            output.line("  ".join(map(cell, line)))
            output.block(body_text(m.body, form, None))
        else:
            output.line("  ".join(map(cell, [*line, _beginning(m, form)])))


def _beginning(message: FoundMessage, form: str) -> str:
    """Return the beginning of a body in one line."""
    text = body_text(message.body, "text" if form in ("auto", "json") else form)
    line = " ".join(text.split())
    return line if len(line) <= _IN_LIST else f"{line[:_IN_LIST]}..."
