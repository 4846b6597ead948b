"""
What a program measures, as the labels that all its series have.

Source: ``BrokerMetricsManager`` of RocketMQ 5, and the exporter of OpenTelemetry, which
adds the name of the scope and ``target_info``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rocketmq_tw.metrics.family import Family, Kind
from rocketmq_tw.metrics.page import Collect, Page

#: Name and value of each label.
Labels = tuple[tuple[str, str], ...]


class Target(msgspec.Struct, frozen=True):
    """
    A part of a program that has metrics: one broker, or one name server.

    :ivar page: where its metrics are.
    :ivar common: the labels of all its series.
    :ivar families: its metrics.
    """

    page: Page
    common: Labels
    families: list[Family] = []

    @classmethod
    def of(
        cls, page: Page, cluster: str, node_type: str, node_id: str, more: Labels
    ) -> Target:
        """
        Return a target with Apache RocketMQ's labels.

        :param cluster: empty for what belongs to none.
        :param node_type: ``broker`` or ``namesrv``.
        :param more: labels of the configuration; they replace no other.
        """
        own = {
            "cluster": cluster,
            "node_id": node_id,
            "node_type": node_type,
            "otel_scope_name": f"{node_type}-meter",
        }
        known = {name: value for name, value in own.items() if value}
        return cls(page, tuple({**dict(more), **known}.items()))

    def family(
        self,
        name: str,
        kind: Kind,
        help_text: str,
        labels: Sequence[str] = (),
        bounds: Sequence[float] = (),
    ) -> Family:
        """Return a new metric of this part."""
        added = set(labels)
        common = [pair for pair in self.common if pair[0] not in added]
        made = self.page.family(
            name, kind, help_text, labels=labels, common=common, bounds=bounds
        )
        self.families.append(made)
        return made

    def remove(self, collectors: Sequence[Collect]) -> None:
        """Remove this part from the page: it has stopped."""
        for collect in collectors:
            self.page.remove(collect)
        self.page.forget(self.families)

    def gauge(self, name: str, help_text: str, *labels: str) -> Family:
        """Return a new gauge."""
        return self.family(name, "gauge", help_text, labels)

    def counter(self, name: str, help_text: str, *labels: str) -> Family:
        """Return a new counter."""
        return self.family(name, "counter", help_text, labels)
