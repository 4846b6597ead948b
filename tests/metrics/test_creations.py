"""How long creations take."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.metrics.creations import CreationMetrics
from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.codes import RequestCode, ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.group import UpdateGroup
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.metrics.reading import Reading, read

TOPIC = "rocketmq_topic_create_execution_time_milliseconds"
GROUP = "rocketmq_consumer_group_create_execution_time_milliseconds"
CREATE = CreateTopic(topic="T", read_queue_nums=1, write_queue_nums=1, perm=6)


class CreationTests(SynchronousTestCase):
    """Handlers that create topics and groups."""

    def setUp(self) -> None:
        """Measure on a clock."""
        self.clock = Clock()
        self.page = Page(self.clock)
        target = Target(self.page, ())
        self.creations = CreationMetrics(
            target, self.clock.seconds, lambda topic: topic.startswith("SYS")
        )

    def call(self, request: Any, outcome: Any, took: float = 0.05) -> Any:
        """Call a handler that takes some time."""

        def handler(request: Any, call: Any) -> Any:
            self.clock.advance(took)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        around: Any = self.creations.around(request.code, handler)
        return around(request, None)

    def read(self) -> Reading:
        """Read the page."""
        all_at_once(self.creations.collect())
        return read(self.successResultOf(self.page.collect()))

    def test_topic(self) -> None:
        """A topic that is created counts in its bucket."""
        self.call(CREATE, Response())
        page = self.read()
        labels = {"invocation_status": "success", "is_system": "false"}
        self.assertEqual(page.get(f"{TOPIC}_bucket", le="10.0", **labels), 0)
        self.assertEqual(page.get(f"{TOPIC}_bucket", le="100.0", **labels), 1)
        self.assertEqual(page.get(f"{TOPIC}_sum", **labels), 50)

    def test_registered_later(self) -> None:
        """The time until a topic is registered belongs to it."""
        waiting: Deferred[Response] = Deferred()
        outcome = self.call(CREATE, waiting)
        self.clock.advance(1)
        waiting.callback(Response())
        self.assertEqual(self.successResultOf(outcome), Response())
        self.assertEqual(self.read().get(f"{TOPIC}_sum"), 1050)

    def test_failures(self) -> None:
        """What is refused counts as a failure, however that is said."""
        refusal = Response(status=ResponseCode.INVALID_PARAMETER)
        self.call(CREATE, refusal)
        self.assertRaises(ValueError, self.call, CREATE, ValueError())
        waiting: Deferred[Response] = Deferred()
        outcome = self.call(CREATE, waiting)
        waiting.errback(ValueError())
        self.failureResultOf(outcome, ValueError)
        labels = {"invocation_status": "failure", "is_system": "false"}
        self.assertEqual(self.read().get(f"{TOPIC}_count", **labels), 3)

    def test_group(self) -> None:
        """Groups have a metric of their own."""
        self.call(UpdateGroup(), Response())
        found = self.read().get(f"{GROUP}_count", invocation_status="success")
        self.assertEqual(found, 1)

    def test_system(self) -> None:
        """A topic of the system has another label."""
        made = CreateTopic(topic="SYS", read_queue_nums=1, write_queue_nums=1, perm=6)
        self.call(made, Response())
        self.assertEqual(self.read().get(f"{TOPIC}_count", is_system="true"), 1)

    def test_others(self) -> None:
        """Other handlers are left alone."""
        handler: Any = object()
        code = RequestCode.PULL_MESSAGE
        self.assertIs(self.creations.around(code, handler), handler)
