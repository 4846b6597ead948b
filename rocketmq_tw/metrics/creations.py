"""
How long it takes to create topics and consumer groups, also until that is registered.

Source: ``AdminBrokerProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.metrics.histogram import Histogram
from rocketmq_tw.metrics.target import Target
from rocketmq_tw.metrics.text import Values
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.remoting.router import Handler, Outcome
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response

#: The bounds of the times, in ms, as in Apache RocketMQ.
BOUNDS = (10, 100, 1000, 3000, 5000)
TOPIC_CODES = frozenset(
    (RequestCode.UPDATE_AND_CREATE_TOPIC, RequestCode.UPDATE_AND_CREATE_TOPIC_LIST)
)
GROUP_CODES = frozenset(
    (
        RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
        RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
    )
)


class CreationMetrics:
    """
    Collects the times.

    :param seconds: a clock.
    :param is_system: whether a topic is one of the system's.
    """

    def __init__(
        self,
        target: Target,
        seconds: Callable[[], float],
        is_system: Callable[[str], bool],
    ) -> None:
        self._seconds = seconds
        self._is_system = is_system
        # One for each outcome.
        self._topics: dict[Values, Histogram] = {}
        self._groups: dict[Values, Histogram] = {}
        self._of_topics = target.family(
            "rocketmq_topic_create_execution_time_milliseconds",
            "histogram",
            "How long it took to create or change a topic",
            ("invocation_status", "is_system"),
            BOUNDS,
        )
        self._of_groups = target.family(
            "rocketmq_consumer_group_create_execution_time_milliseconds",
            "histogram",
            "How long it took to create or change a consumer group",
            ("invocation_status",),
            BOUNDS,
        )

    def collect(self) -> Steps[None]:
        """Set the series that there are."""
        for values, histogram in self._topics.items():
            self._of_topics.set_histogram(values, histogram)
        for values, histogram in self._groups.items():
            self._of_groups.set_histogram(values, histogram)
        yield None

    def around(self, code: int, handler: Handler) -> Handler:
        """Return a handler that measures the given one, if that creates something."""
        if code not in TOPIC_CODES | GROUP_CODES:
            return handler
        seconds = self._seconds

        def measured(request: Request[Any], call: Call) -> Outcome:
            began = seconds()

            def done(outcome: Any) -> Any:
                is_success = not isinstance(outcome, Failure)
                if isinstance(outcome, Response):
                    is_success = not outcome.status
                self._count(code, request, is_success, seconds() - began)
                return outcome

            try:
                outcome = handler(request, call)
            except Exception:
                self._count(code, request, False, seconds() - began)
                raise
            if isinstance(outcome, Deferred):
                return outcome.addBoth(done)
            done(outcome)
            return outcome

        return measured

    def _count(
        self, code: int, request: Request[Any], is_success: bool, took: float
    ) -> None:
        """Count one creation."""
        status = "success" if is_success else "failure"
        table = self._groups
        values: Values = (status,)
        if code in TOPIC_CODES:
            is_system = self._is_system(getattr(request, "topic", ""))
            table = self._topics
            values = status, "true" if is_system else "false"
        if values not in table:
            table[values] = Histogram(BOUNDS)
        table[values].add(took * 1000)
