"""
The counters and sizes of tables that runtime information shows, as metrics.

Servers name them in camel case: ``heldPulls``, ``heldPullsRefused``. Here these are
``rocketmq_held_pulls`` and ``rocketmq_held_pulls_refused_total``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rocketmq_tw.metrics.family import Family, Kind
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.pacing import Steps

#: What only grows ends in one of these, or is one of them.
_COUNTED = re.compile(
    r"(Refused|Closed|Displaced|Completed|Failed|TimedOut|Forgotten|Recognised|Revived"
    r"|Delivered|Linked|Lost|Recalled|Asked|Unasked|Committed|RolledBack|EndedAgain"
    r"|GivenUp)$|^subscriptionConflicts$"
)
#: Counters whose names are those of other metrics, and what they are called here.
_OTHER_NAMES = {"halfMessages": "rocketmq_half_messages_unfinished"}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def metric_name(name: str) -> str:
    """Return the name of the metric of a counter."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    words = _WORD.sub("_", name).lower()
    return f"rocketmq_{words}_total" if _COUNTED.search(name) else f"rocketmq_{words}"


class CounterMetrics:
    """
    Collects counters.

    :param counters: functions that return a number, by name; there may be more later.
    """

    def __init__(
        self, target: Target, counters: Mapping[str, Callable[[], int]]
    ) -> None:
        self._target = target
        self._counters = counters
        self._families: dict[str, Family] = {}

    def collect(self) -> Steps[None]:
        """Set all of them."""
        for name, read in list(self._counters.items()):
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = self._make(name)
            family.set((), read())
        yield None

    def _make(self, name: str) -> Family:
        """Return the metric of a counter."""
        made, text = metric_name(name), f"{name} of the runtime information"
        kind: Kind = "counter" if made.endswith("_total") else "gauge"
        return self._target.family(made, kind, text)
