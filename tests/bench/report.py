"""Tables: printed as text while they are measured, and written as reStructuredText."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Table(NamedTuple):
    """
    Figures.

    :ivar title: a heading.
    :ivar note: a sentence that says what the cells are; empty if the columns do.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def text(self) -> str:
        """Lay it out for a terminal."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        found = [self.title, self.note] if self.note else [self.title]
        for line in lines:
            cells = [
                cell.rjust(width) if at else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            found.append("  ".join(cells))
        return "\n".join(found) + "\n"

    def rst(self, underline: str = "-") -> str:
        """Write it as a section with a list table."""
        found = [self.title, underline * len(self.title), ""]
        if self.note:
            found += [self.note, ""]
        found += [".. list-table::", "   :header-rows: 1", ""]
        for line in (self.columns, *self.rows):
            for at, cell in enumerate(line):
                found.append(f"   {'  ' if at else '* '}- {cell}")
        return "\n".join(found) + "\n"


class Report:
    """
    Prints tables as they come, and writes all of them to a file again and again.

    :param path: the file; None for no file.
    :param head: paragraphs that stand first in the file.
    """

    def __init__(self, path: Path | None, head: Sequence[str]) -> None:
        self._path = path
        self._parts = ["\n\n".join(head) + "\n"]

    def add(self, table: Table) -> None:
        """Print a table, and write the file with it."""
        print(table.text(), flush=True)
        self._parts.append(table.rst())
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text("\n".join(self._parts))


def number(value: float) -> str:
    """Write a figure with as many digits as say something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
