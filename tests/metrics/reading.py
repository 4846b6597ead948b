"""Reads a page of metrics as strictly as the format is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) .+")


class Reading:
    """
    A page that was read.

    :ivar values: of each series, by its name and labels.
    :ivar kinds: the type of each metric.
    """

    def __init__(self, page: bytes) -> None:
        self.values: dict[tuple[str, Labels], float] = {}
        self.kinds: dict[str, str] = {}
        text = page.decode()
        _check_order(text.splitlines())
        for family in text_string_to_metric_families(text):
            assert family.documentation, family.name
            for sample in family.samples:
                key = sample.name, frozenset(sample.labels.items())
                assert key not in self.values, f"twice: {key}"
                self.values[key] = sample.value
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.kinds[name] = kind
        for name, kind in self.kinds.items():
            assert (kind == "counter") == name.endswith("_total"), name

    @property
    def names(self) -> set[str]:
        """The names of all series."""
        return {name for name, _ in self.values}

    def get(self, series: str, **labels: str) -> float | None:
        """Return the one series that has at least these labels; None without."""
        wanted = set(labels.items())
        found = [
            value
            for (name, known), value in self.values.items()
            if name == series and wanted <= known
        ]
        assert len(found) <= 1, f"{series}{labels} is {len(found)} series"
        return found[0] if found else None

    def labels(self, series: str) -> list[dict[str, str]]:
        """Return the labels of all series with a name."""
        return [dict(known) for name, known in self.values if name == series]


def read(pieces: Iterable[bytes]) -> Reading:
    """Read the pieces of a page."""
    return Reading(b"".join(pieces))


def _check_order(lines: list[str]) -> None:
    """Each metric has its help, then its type, then its series, once."""
    seen: set[str] = set()
    current = ""
    for line in lines:
        comment = _COMMENT.fullmatch(line)
        if comment is not None:
            if comment[1] == "HELP":
                assert comment[2] not in seen, f"{comment[2]} is there twice"
                seen.add(comment[2])
                current = comment[2]
            assert comment[2] == current, line
            continue
        name = _NAME.match(line)
        assert name is not None, line
        assert name[0] in (
            current,
            f"{current}_bucket",
            f"{current}_sum",
            f"{current}_count",
        ), f"{line} is among {current}"
