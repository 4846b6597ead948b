"""
Creates or changes many topics with one request.

Source: ``AdminBrokerProcessor.updateAndCreateTopicList`` of RocketMQ 5.
"""

from __future__ import annotations

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.tables.checks import check_topic_settings
from rocketmq_tw.broker.tables.topic_attributes import altered
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig, check_topic_name
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, parts_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.wire.bodies.topics import TopicConfigList
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.topic import CreateTopics

#: How many topics are checked, or created, in one step.
AT_ONCE = 50


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    TopicListProcessor(
        topics=broker.tables.topics,
        new_topics=broker.new_topics,
        pacer=broker.pacer,
    ).routes(router)


class TopicListProcessor:
    """Handles lists of topics."""

    def __init__(
        self, *, topics: TopicTable, new_topics: NewTopics, pacer: Pacer
    ) -> None:
        self._topics = topics
        self._new_topics = new_topics
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(CreateTopics, self.create)

    def create(self, request: CreateTopics, call: Call) -> Outcome:
        """
        Create or change topics, none of them if one cannot be.

        :returns: fires once name servers know them, and a kill loses none.
        :raises IllegalTopic: a name is not legal.
        :raises Refused: one is a system topic, or a setting is invalid.
        """
        body = request.body
        steps = self._new_topics.hold_steps(self._create(body))
        return self._pacer.run_for(body, steps, call.peer)

    def _create(self, body: bytes) -> Steps[Response]:
        """Check topics in steps, then create them."""
        asked = TopicConfigList.decode_request(body).topic_config_list
        checked: list[TopicConfig] = []
        for some in parts_of(asked, AT_ONCE):
            yield None
            checked += map(self._checked, some)
        for some in parts_of(checked, AT_ONCE):
            yield None
            for config in some:
                self._topics.put(config)
        kept: Deferred[None] | None = self._topics.when_kept()
        if kept is not None:
            yield kept
        return Response()

    def _checked(self, config: TopicConfig) -> TopicConfig:
        """Return what a topic will be. :raises Refused: it cannot be."""
        name = config.topic_name
        check_topic_name(name)
        self._topics.refuse_system(name)
        current = self._topics.get(name)
        changes = ",".join(
            f"{key if key[:1] in ('+', '-') else '+' + key}"
            + ("" if key[:1] == "-" else f"={value}")
            for key, value in config.attributes.items()
        )
        try:
            check_topic_settings(name, config)
            known = None if current is None else current.attributes
            return replace(config, attributes=altered(known, changes))
        except BadField as error:
            raise Refused(
                ResponseCode.INVALID_PARAMETER, f"the topic [{name}]: {error}"
            ) from None
