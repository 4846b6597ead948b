"""
The dashboard, the alerts and the how-to use metrics that there are.

A real Prometheus evaluates all of them in ``tests/interop/test_prometheus.py``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from rocketmq_tw.metrics.name_server import add_metrics
from rocketmq_tw.metrics.service import MetricsService
from rocketmq_tw.metrics_settings import MetricsSettings
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.tls.settings import ServerTls
from tests.metrics.broker.cases import MetricsCase

OPERATE = Path(__file__).parents[2] / "doc" / "operate"
HOWTO = OPERATE.parent / "howto" / "metrics.rst"

_NAME = re.compile(r"\b(?:rocketmq|process|python)_[a-z0-9_]+\b")
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_LABEL = re.compile(r"([a-zA-Z_]+)\s*(?:=~|!~|!=|=)\s*\"")
#: What Prometheus adds by itself, or takes apart from a histogram, and what the
#: expressions make of a name.
_OF_PROMETHEUS = {"job", "instance", "__name__", "le", "what"}


def expressions(value: Any) -> list[str]:
    """Return all expressions of a dashboard or of rules."""
    if isinstance(value, list):
        return [found for each in value for found in expressions(each)]
    if not isinstance(value, dict):
        return []
    found = [value["expr"]] if "expr" in value else []
    if value.get("type") == "query":
        found.append(value["definition"])
    return found + [more for each in value.values() for more in expressions(each)]


class OperateTests(MetricsCase):
    """A broker and a name server that show all their metrics."""

    def setUp(self) -> None:
        """Start a broker, and add what else a program has."""
        super().setUp()
        listen = MetricsSettings(listen="tcp:5557:interface=127.0.0.1")
        service = MetricsService(self.clock, listen, ServerTls())
        namesrv = NamesrvService(NamesrvConfig(), self.clock)
        add_metrics(self.page, namesrv)
        self.read()
        self.names = self.page.names | service.page.names
        self.dashboard = json.loads((OPERATE / "grafana.json").read_text())
        self.alerts = yaml.safe_load((OPERATE / "alerts.yml").read_text())

    def unknown(self, texts: list[str]) -> set[str]:
        """Return the names of metrics that are not served."""
        found = {name for text in texts for name in _NAME.findall(text)}
        return found - self.names

    def test_dashboard(self) -> None:
        """Each panel shows metrics that there are; all ids differ."""
        asked = expressions(self.dashboard)
        self.assertGreater(len(asked), 30)
        self.assertEqual(self.unknown(asked), set())
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_layout(self) -> None:
        """No panel lies upon another, and none is wider than the page."""
        taken: dict[tuple[int, int], int] = {}
        for panel in self.dashboard["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, panel["title"])
                    taken[x, y] = panel["id"]
        self.assertLess(max(x for x, _ in taken), 24)

    def test_alerts(self) -> None:
        """Each alert asks for metrics that there are, and says what is wrong."""
        rules = [rule for group in self.alerts["groups"] for rule in group["rules"]]
        self.assertGreater(len(rules), 10)
        self.assertEqual(self.unknown(expressions(self.alerts)), set())
        names = [rule["alert"] for rule in rules]
        self.assertEqual(len(names), len(set(names)))
        for rule in rules:
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"))
            self.assertIn("summary", rule["annotations"])

    def test_labels(self) -> None:
        """What is selected or grouped by is a label of some metric."""
        families = [each for known in self.page._families.values() for each in known]
        labels = {name for each in families for name in each._labels}
        labels |= set(re.findall(r"([a-z_]+)=", " ".join(e._common for e in families)))
        labels |= _OF_PROMETHEUS
        for text in [*expressions(self.dashboard), *expressions(self.alerts)]:
            used = set(_LABEL.findall(text))
            for group in _GROUPING.findall(text):
                used |= {each.strip() for each in group.split(",")}
            self.assertEqual(used - labels, set(), text)

    def test_howto(self) -> None:
        """So does each name in the how-to."""
        found = set(re.findall(r"``(rocketmq_[a-z0-9_]+)", HOWTO.read_text()))
        found = {name for name in found if not name.endswith("_")}
        served = self.names | {each.removesuffix("_count") for each in self.names}
        self.assertGreater(len(found), 20)
        # The name without its unit, of which the page speaks.
        self.assertEqual(found - served, {"rocketmq_rpc_latency"})

    def test_scrape(self) -> None:
        """The example of Prometheus loads the alerts."""
        config = yaml.safe_load((OPERATE / "prometheus.yml").read_text())
        self.assertEqual(config["rule_files"], ["alerts.yml"])
        self.assertEqual(len(config["scrape_configs"]), 2)
