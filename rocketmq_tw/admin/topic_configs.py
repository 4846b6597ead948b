"""The settings of one topic at each broker."""

from __future__ import annotations

from collections.abc import Mapping

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.topics import TopicConfigTable
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.topic import GetAllTopicConfig, GetTopicConfig


async def topic_configs(
    calls: Calls, topic: str, targets: Mapping[str, str]
) -> Outcomes[TopicConfig]:
    """
    Ask brokers for their settings of a topic.

    Brokers of 4.x can only be asked for all their topics at once.
    """

    async def read(address: str) -> TopicConfig:
        try:
            response = await calls.broker(address, GetTopicConfig(topic=topic))
        except BrokerError as error:
            if error.code != ResponseCode.REQUEST_CODE_NOT_SUPPORTED:
                raise
            return await _of_all(calls, topic, address)
        return fastjson.decode_as(response.body, TopicConfig)

    return await calls.each(targets, read)


async def _of_all(calls: Calls, topic: str, address: str) -> TopicConfig:
    """Return the settings of a topic out of those of all. :raises BrokerError: none."""
    request = GetAllTopicConfig()
    response = await calls.broker(address, request)
    found = TopicConfigTable.decode(response.body).topic_config_table.get(topic)
    if found is None:
        raise BrokerError(
            ResponseCode.TOPIC_NOT_EXIST,
            f"there is no topic {topic}",
            address,
            type(request).__name__,
        )
    return found
