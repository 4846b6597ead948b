"""
What each group has done with a message, as far as offsets say.

Source: ``DefaultMQAdminExtImpl.messageTrackDetail`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.errors import NotFound
from rocketmq_tw.admin.members import decode_members
from rocketmq_tw.admin.results.messages import FoundMessage, Track
from rocketmq_tw.model.group import MessageModel
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import ALL, SQL92
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.consumers import ConsumerConnection
from rocketmq_tw.wire.bodies.groups import GroupList
from rocketmq_tw.wire.bodies.stats import ConsumeStats
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import GetConsumeStats
from rocketmq_tw.wire.requests.group import QueryGroupsOfTopic
from rocketmq_tw.wire.requests.heartbeat import GetConsumerConnections


class Tracking:
    """Asks the broker that has the message about the groups of its topic."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def track(self, message: FoundMessage) -> tuple[Track, ...]:
        """
        Return the state of each group, sorted by name; none if nobody reads.

        :raises NotFound: the broker of the message is gone.
        """
        address = (await self._calls.registered()).readers().get(message.broker)
        if address is None:
            raise NotFound("broker", message.broker, "it is not registered now")
        request = QueryGroupsOfTopic(topic=message.topic)
        response = await self._calls.broker(address, request)
        groups = sorted(set(GroupList.decode(response.body).group_list))

        async def ask(group: str) -> Track:
            return await self._of_group(group, message, address)

        asked = await self._calls.each({group: group for group in groups}, ask)
        unknown = {
            group: Track(group, "unknown", why) for group, why in asked.failed.items()
        }
        return tuple({**unknown, **asked.ok}[group] for group in groups)

    async def _of_group(self, group: str, message: FoundMessage, address: str) -> Track:
        """Return what one group has done."""
        members = await self._members(group, address)
        if members is not None and members.message_model is MessageModel.BROADCASTING:
            return Track(group, "broadcasting", "each consumer keeps its own offsets")
        request = GetConsumeStats(consumer_group=group, topic=message.topic)
        response = await self._calls.broker(address, request)
        queue = MessageQueue(message.topic, message.broker, message.queue_id)
        state = ConsumeStats.decode(response.body).offset_table.get(queue)
        if state is None:
            return Track(group, "unknown", "it has no offset in the queue")
        if state.consumer_offset <= message.queue_offset:
            behind = message.queue_offset - state.consumer_offset
            if members is None:
                return Track(group, "offline", f"{behind} messages before it wait, too")
            return Track(group, "waiting", f"{behind} messages are before it")
        if members is not None and not _matches(members, message):
            return Track(group, "filtered", "the group does not subscribe to the tag")
        return Track(group, "consumed")

    async def _members(self, group: str, address: str) -> ConsumerConnection | None:
        """Return who is connected; None if nobody is."""
        request = GetConsumerConnections(consumer_group=group)
        try:
            response = await self._calls.broker(address, request)
        except BrokerError as error:
            if error.code != ResponseCode.CONSUMER_NOT_ONLINE:
                raise
            return None
        return await self._calls.in_steps(decode_members(response.body))


def _matches(members: ConsumerConnection, message: FoundMessage) -> bool:
    """Return whether the group subscribes to the message; True if that is unknown."""
    subscription = members.subscription_table.get(message.topic)
    if subscription is None or subscription.expression_type == SQL92:
        return True
    tags = subscription.tags_set
    return subscription.sub_string == ALL or not tags or message.tag in tags
