"""What Grafana does with a dashboard: fill in its variables, ask Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from .prometheus import Prometheus, Refused

#: What Grafana itself fills in.
BUILT_IN = {"__rate_interval": "10s", "__interval": "5s", "__range": "60s"}
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
#: What Grafana escapes in a value that becomes part of a regular expression; two
#: backslashes, for it stands in a string.
_SPECIAL = re.compile(r"[\\^$*+?.()|{}\[\]]")
_LABEL_VALUES = re.compile(r"label_values\(\s*(.+?)\s*,\s*(\w+)\s*\)$", re.DOTALL)

DATA, EMPTY, ERROR = "data", "empty", "error"


class Variable(Struct, frozen=True):
    """
    A variable of a dashboard.

    :ivar query: ``label_values(...)``; variables before it may stand in it.
    :ivar everything: whether "All" is chosen, as it is when the dashboard is opened.
    :ivar pattern: which values count.
    """

    name: str
    query: str
    everything: bool = False
    all_value: str = ""
    pattern: str = ""


class Query(Struct, frozen=True):
    """
    One expression of a panel.

    :ivar empty: why there is nothing to see on any broker, or on ours; else nothing.
    :ivar rare: why there may be nothing to see, and may not.
    """

    panel: str
    expression: str
    empty: str = ""
    rare: str = ""


class Dashboard(Struct, frozen=True):
    """
    A dashboard, as far as it asks for anything.

    :ivar source: where it was found.
    """

    title: str
    source: str
    variables: tuple[Variable, ...]
    queries: tuple[Query, ...]


class Answer(Struct, frozen=True):
    """
    What Prometheus responds to an expression.

    :ivar now: how many series there are now; ``ever``, in the whole range.
    :ivar error: why Prometheus does not evaluate it.
    """

    query: Query
    expression: str
    now: int = 0
    ever: int = 0
    error: str = ""

    @property
    def state(self) -> str:
        """In one word."""
        if self.error:
            return ERROR
        return DATA if self.ever else EMPTY

    @property
    def is_wrong(self) -> bool:
        """Whether it finds nothing without a reason, or something in spite of one."""
        if self.query.rare and self.state == EMPTY:
            return False
        return self.state != (EMPTY if self.query.empty else DATA)

    @property
    def line(self) -> str:
        """A line of a table."""
        counts = f"{self.now:4} now {self.ever:4} ever"
        why = self.error or self.query.empty or self.query.rare
        why = f"  ({why})" if why else ""
        return f"{self.state:5} {counts}  {self.query.panel}: {self.expression}{why}"


def load(path: Path) -> Dashboard:
    """Read a dashboard as Grafana exports and imports it."""
    read = json.loads(path.read_text())
    return Dashboard(
        read["title"],
        path.name,
        tuple(
            Variable(
                each["name"],
                each["definition"],
                bool(each.get("includeAll")),
                each.get("allValue") or "",
                each.get("regex") or "",
            )
            for each in read["templating"]["list"]
            if each["type"] == "query"
        ),
        tuple(_queries(read["panels"])),
    )


def _queries(panels: list[Any]) -> Iterator[Query]:
    for panel in panels:
        for target in panel.get("targets", ()):
            yield Query(panel["title"], target["expr"])
        yield from _queries(panel.get("panels", []))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill in variables; one that is not known stays as it is, as in Grafana."""
    known = {**BUILT_IN, **values}
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda found: rf"\\{found[0]}", value)


def values_of(
    dashboard: Dashboard, prometheus: Prometheus, chosen: Mapping[str, str]
) -> dict[str, str]:
    """
    Choose the values of all variables: everything, or the first that is offered.

    One that offers nothing is empty.

    :param chosen: what a user chooses instead, if it is offered.
    """
    values: dict[str, str] = {}
    for each in dashboard.variables:
        found = _LABEL_VALUES.match(filled(each.query, values))
        assert found is not None, f"not a query of a variable: {each.query}"
        offered = prometheus.label_values(found[1], found[2])
        if each.pattern:
            offered = [one for one in offered if re.search(each.pattern, one)]
        if each.everything:
            value = each.all_value or f"({'|'.join(map(_escaped, offered))})"
        elif chosen.get(each.name) in offered:
            value = chosen[each.name]
        else:
            value = next(iter(offered), "")
        values[each.name] = value
    return values


def answers(
    dashboard: Dashboard, prometheus: Prometheus, chosen: Mapping[str, str]
) -> list[Answer]:
    """Ask all that the dashboard asks, now and over the whole time."""
    values = values_of(dashboard, prometheus, chosen)
    return [
        _answer(each, filled(each.expression, values), prometheus)
        for each in dashboard.queries
    ]


def _answer(query: Query, text: str, prometheus: Prometheus) -> Answer:
    try:
        now = len(prometheus.instant(text))
        return Answer(query, text, now, len(prometheus.over_time(text)))
    except Refused as error:
        return Answer(query, text, error=str(error))
