"""
Responses that wait until the topics that their requests created have routes.

A client looks for the route as soon as it has the response: a Java consumer that does
not find its retry topic looks again after 30 s. Apache RocketMQ registers a new topic
before it responds, too.

Source: ``TopicConfigManager.registerBrokerData`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Steps
from rocketmq_tw.remoting.router import Handler, Outcome

_R = TypeVar("_R")


class NewTopics:
    """
    Holds the responses of requests that create topics.

    :param register: registers what has changed; fires when the name servers know it, or
        have not responded in time. None if there is nothing to wait for.
    """

    def __init__(
        self, topics: TopicTable, register: Callable[[], Deferred[None] | None]
    ) -> None:
        self._topics = topics
        self._register = register

    def holding(self, handler: Handler) -> Handler:
        """Return a handler whose response waits if the handler created a topic."""

        def held(request: Any, call: Call) -> Outcome:
            return self.hold(lambda: handler(request, call))

        return held

    def hold(self, handle: Callable[[], _R]) -> _R | Deferred[Any]:
        """
        Call a function.

        :returns: its result; if it has changed the table of topics, a Deferred that
            fires with the result once the change is registered.
        """
        version = self._topics.data_version
        outcome = handle()
        if self._topics.data_version is version:
            return outcome
        registered = self._register()
        if registered is None:
            return outcome
        return registered.addCallback(lambda _: outcome)

    def hold_steps(self, steps: Steps[_R]) -> Steps[_R]:
        """Do as :meth:`hold`, for what is done in steps."""
        version = self._topics.data_version
        outcome = yield from steps
        if self._topics.data_version is not version:
            registered = self._register()
            if registered is not None:
                yield registered
        return outcome
