"""
What commands print: tables for people, JSON for programs.

Names, bodies and remarks come from the wire: characters that control a terminal are
escaped wherever they are printed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from rocketmq_tw.admin.cli.tables import draw_columns, draw_table
from rocketmq_tw.model.log_safe import log_safe

if TYPE_CHECKING:
    from rocketmq_tw.admin.results.topics import Changed

#: Characters of a cell, at most.
LONGEST_CELL = 200
#: Characters besides those of ASCII that control a terminal, or reorder a line.
_CONTROLS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
#: Moves the cursor to the corner and clears the screen.
_CLEAR = "\x1b[H\x1b[2J"

Cell = str | int | float | bool | datetime | Iterable[str] | None


class Output:
    """
    Prints results.

    :param as_json: for programs.
    :param terminal: whether people see it.
    """

    def __init__(self, as_json: bool, terminal: bool | None = None) -> None:
        self.as_json = as_json
        self.terminal = sys.stdout.isatty() if terminal is None else terminal

    def json(self, value: Any, *, one_line: bool = False) -> None:
        """Print a value as JSON."""
        text = msgspec.json.encode(value)
        if not one_line:
            text = msgspec.json.format(text, indent=2)
        click.echo(_safe_json(text.decode()))

    def line(self, text: str = "") -> None:
        """Print a line of our own."""
        click.echo(text)

    def warn(self, text: str) -> None:
        """Print what is not part of the result."""
        if self.as_json:
            said = msgspec.json.encode({"warning": text}).decode()
            click.echo(_safe_json(said, sys.stderr), err=True)
        else:
            click.echo(f"warning: {log_safe(text, 1000)}", err=True)

    def failed(self, failed: dict[str, str]) -> None:
        """Print who could not be asked, and why."""
        for who, why in failed.items():
            self.warn(f"{who}: {why}")

    def clear(self) -> None:
        """Begin a new look at the same thing."""
        click.echo(
            _CLEAR if self.terminal else "",
            nl=not self.terminal,
            color=self.terminal,
        )

    def fields(self, pairs: Iterable[tuple[str, Cell]]) -> None:
        """Print names and values, one a line."""
        texts = [(log_safe(name), cell(value)) for name, value in pairs]
        width = max((len(name) for name, _ in texts), default=0)
        for name, text in texts:
            click.echo(f"{name:<{width}}  {text}".rstrip())

    def block(self, text: str) -> None:
        """Print text of others, line by line."""
        lines = (line.rstrip("\r").expandtabs() for line in text.split("\n"))
        click.echo("\n".join(log_safe(line, 1 << 30) for line in lines))

    def table(self, headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """Print a table; numbers stand on the right."""
        kept = [list(row) for row in rows]
        # Nearly all are plain texts: 10,000 topics have 50,000 of them.
        texts = [
            [
                each if type(each) is str and _is_plain(each) else cell(each)
                for each in row
            ]
            for row in kept
        ]
        right = [
            bool(kept) and all(_is_number(row[i]) for row in kept)
            for i in range(len(headers))
        ]
        draw = draw_table if self.terminal else draw_columns
        draw(headers, texts, right)


def print_error(text: str, kind: str) -> None:
    """Print an error as JSON."""
    said = msgspec.json.encode({"error": text, "kind": kind}).decode()
    click.echo(_safe_json(said, sys.stderr), err=True)


def _safe_json(text: str, stream: Any = None) -> str:
    """
    Escape characters that control a terminal, or that a stream cannot have.

    JSON itself escapes only what is below U+0020.
    """
    text = _CONTROLS.sub(_escaped, text)
    encoding = (stream or sys.stdout).encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return _NOT_ASCII.sub(_escaped, text)
    return text


def _escaped(found: re.Match[str]) -> str:
    """Return the escape of a character in JSON, which counts in units of UTF-16."""
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def changed(what: str) -> Callable[[Changed, Output], None]:
    """Return what prints which servers have done something."""

    def draw(found: Changed, output: Output) -> None:
        names = log_safe(", ".join(found.done), 1000)
        output.line(f"{what} {names or 'no server'}")

    return draw


def _is_plain(text: str) -> bool:
    """Return whether a text is a cell as it is."""
    return 0 < len(text) <= LONGEST_CELL and text.isprintable()


def cell(value: Cell) -> str:
    """Return a value as a text for one cell."""
    if isinstance(value, str):
        return log_safe(value, LONGEST_CELL) or "-"
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # Without the sign of what is nearly nothing.
        return f"{round(value, 2) + 0.0:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return moment(value)
    return log_safe(", ".join(value), LONGEST_CELL) or "-"


def moment(when: datetime | None) -> str:
    """Return a time as people here read it, to the second."""
    if when is None:
        return "-"
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _is_number(value: Cell) -> bool:
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool)
    )
