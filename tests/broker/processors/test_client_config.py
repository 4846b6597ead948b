"""Request 46: whether a subscription can be used."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.model.subscription import parse_as
from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody
from rocketmq_tw.wire.requests.heartbeat import CheckClientConfig
from tests.broker.cases import TOPIC, BrokerCase


class CheckCase(BrokerCase):
    """Asks a broker."""

    def check(self, expression: str, kind: str) -> tuple[int, str]:
        """Return the response's code and remark."""
        subscription = parse_as(TOPIC, expression, kind, 1)
        body = CheckClientRequestBody("c", "G", subscription).encode()
        response = self.ask(CheckClientConfig(body=body))
        return response.status, response.remark or ""


class CheckTests(CheckCase):
    """A broker that filters by properties."""

    def test_right(self) -> None:
        """Tags and right expressions can be used, and so can none."""
        for expression, kind in (("A||B", "TAG"), ("a > 3", "SQL92")):
            self.assertEqual(self.check(expression, kind), (0, ""))
        response = self.ask(CheckClientConfig(body=b"{}"))
        self.assertEqual(response.status, 0)

    def test_wrong(self) -> None:
        """A wrong expression, or a kind that is none, is refused with the reason."""
        status, remark = self.check("a > 'x'", "SQL92")
        self.assertEqual(status, 23)
        self.assertIn("cannot be ordered", remark)
        status, remark = self.check("a", "XPATH")
        self.assertEqual(status, 23)
        self.assertIn("XPATH", remark)


class SwitchedOffTests(CheckCase):
    """A broker that does not."""

    settings: dict[str, Any] = {"enable_property_filter": False}

    def test_refused(self) -> None:
        """Tags can be used, other expressions not."""
        self.assertEqual(self.check("A", "TAG"), (0, ""))
        status, remark = self.check("a > 3", "SQL92")
        self.assertEqual(status, 1)
        self.assertIn("does not support consumer to filter message by SQL92", remark)
