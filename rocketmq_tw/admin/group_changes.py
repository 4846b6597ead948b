"""
Creates, changes and deletes consumer groups, and copies their offsets.

Source: ``UpdateSubGroupSubCommand``, ``DeleteSubscriptionGroupCommand`` and
``CloneGroupOffsetCommand`` of RocketMQ 5. Unlike those, a change keeps all settings
that are not named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from rocketmq_tw.admin.calls import Calls, Outcomes, at_masters
from rocketmq_tw.admin.errors import (
    AdminError,
    AlreadyExists,
    NotFound,
)
from rocketmq_tw.admin.groups import Groups, find_group, is_system
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import (
    check_group_name,
    dlq_topic,
    is_dlq,
    is_retry,
    retry_topic,
)
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.consumer import CloneGroupOffsets
from rocketmq_tw.wire.requests.group import DeleteGroup, UpdateGroup
from rocketmq_tw.wire.requests.route import DeleteTopicInNamesrv
from rocketmq_tw.wire.requests.topic import DeleteTopic


class GroupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a group gets, or what of it changes; None leaves it as it is.

    :ivar max_retries: failures after which a message is a dead letter.
    :ivar attributes: an empty value removes the attribute.
    """

    may_consume: bool | None = None
    may_broadcast: bool | None = None
    may_consume_from_min: bool | None = None
    ordered: bool | None = None
    retry_queues: int | None = None
    max_retries: int | None = None
    consume_timeout_minutes: int | None = None
    attributes: Mapping[str, str] = {}

    def applied_to(self, group: SubscriptionGroup) -> SubscriptionGroup:
        """Return the settings of a group after the change, as requests have them."""
        changes = {
            _FIELDS[name]: value
            for name in _FIELDS
            if (value := getattr(self, name)) is not None
        }
        attributes = {
            f"+{name}" if value else f"-{name}": value
            for name, value in self.attributes.items()
        }
        return msgspec.structs.replace(group, attributes=attributes, **changes)


#: The fields here, and those of a broker.
_FIELDS = {
    "may_consume": "consume_enable",
    "may_broadcast": "consume_broadcast_enable",
    "may_consume_from_min": "consume_from_min_enable",
    "ordered": "consume_message_orderly",
    "retry_queues": "retry_queue_nums",
    "max_retries": "retry_max_times",
    "consume_timeout_minutes": "consume_timeout_minute",
}


class GroupChanges:
    """Sends brokers the changes of one administrator."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create(
        self, group: str, settings: GroupSettings, cluster: str | None
    ) -> Changed:
        """
        Create a group at the masters of a cluster, or at all.

        :raises IllegalGroup: the name is not legal.
        :raises AlreadyExists: one of the brokers has it.
        :raises NotFound: there is no such cluster.
        """
        check_group_name(group)
        targets, away = await self._calls.masters(cluster)
        present = (await find_group(self._calls, group, targets)).ok
        if present:
            raise AlreadyExists("group", group, f"at {', '.join(sorted(present))}")
        fresh = dict.fromkeys(targets, SubscriptionGroup(group))
        done = await self._put(targets, fresh, settings)
        return Changed(done.done, {**away, **done.failed})

    async def update(self, group: str, settings: GroupSettings) -> Changed:
        """
        Change a group at all brokers that have it.

        :raises NotFound: none has it.
        """
        targets, known = await self._known(group)
        done = await self._put(targets, known.ok, settings)
        return Changed(done.done, {**known.failed, **done.failed})

    async def delete(self, group: str, *, while_online: bool) -> Changed:
        """
        Delete a group with its offsets and its own topics, dead letters included.

        :param while_online: even if consumers are connected, which may create it again.
        :raises NotFound: no broker has it.
        :raises AdminError: consumers are connected, or brokers need it themselves.
        """
        if is_system(group):
            raise AdminError(f'the group "{group}" belongs to the brokers')
        targets, known = await self._known(group)
        members = await Groups(self._calls).members(group)
        if members and not while_online:
            raise AdminError(
                f'consumers of "{group}" are connected ({len(members)}); stop them'
                " first"
            )
        addresses = {broker: targets[broker] for broker in known.ok}
        done = await self._calls.each_broker(
            addresses,
            lambda _: DeleteGroup(
                group_name=group, clean_offset=True, remove_offset=True
            ),
        )
        done.need_change(f'the group "{group}" is not deleted')
        failed = {**known.failed, **done.failed}
        for topic in (retry_topic(group), dlq_topic(group)):
            failed.update(await self._delete_topic(topic, addresses))
        return Changed(tuple(done.ok), failed)

    async def clone(self, source: str, target: str, topic: str | None) -> Changed:
        """
        Copy the offsets of a group to another one, in one topic or all.

        :returns: the topics that were copied; failures by topic and broker.
        :raises NotFound: one of the groups does not exist, or has not read the topic.
        :raises AdminError: the source has read no topic.
        """
        groups = Groups(self._calls)
        details = await groups.get(source)
        await groups.get(target)
        topics = [n for n in details.topics if not is_retry(n) and not is_dlq(n)]
        if topic is not None:
            if topic not in topics:
                raise NotFound("topic", topic, f'"{source}" has not read it')
            topics = [topic]
        if not topics:
            raise AdminError(f'the group "{source}" has read no topic')
        brokers = await self._calls.registered()
        failed = {**details.failed, **brokers.without_master()}
        for name in topics:
            request = _clone(source, target, name)
            copied = await self._calls.each_broker(brokers.masters(), _always(request))
            copied.need_change(f'no offset in "{name}" is copied')
            failed.update({f"{name} at {w}": why for w, why in copied.failed.items()})
        return Changed(tuple(topics), failed)

    # -- parts

    async def _known(
        self, group: str
    ) -> tuple[dict[str, str], Outcomes[SubscriptionGroup]]:
        """Return all masters, and the settings of a group. :raises NotFound: none."""
        brokers = await self._calls.registered()
        known = await find_group(self._calls, group, brokers.readers())
        known = at_masters(known, brokers)
        known.need_known(f'the group "{group}" cannot be changed', "group", group)
        return brokers.masters(), known

    async def _put(
        self,
        targets: Mapping[str, str],
        groups: Mapping[str, SubscriptionGroup],
        settings: GroupSettings,
    ) -> Changed:
        """Send each broker its settings."""
        names = {targets[broker]: broker for broker in groups}

        async def put(address: str) -> Response:
            changed = settings.applied_to(groups[names[address]])
            request = UpdateGroup(body=fastjson.dumps(changed))
            return await self._calls.broker(address, request)

        done = await self._calls.each({b: targets[b] for b in groups}, put)
        done.need_change("nothing is changed")
        return Changed(tuple(done.ok), done.failed)

    async def _delete_topic(
        self, topic: str, targets: Mapping[str, str]
    ) -> dict[str, str]:
        """Delete one of the group's own topics; none is no error."""
        deleted = await self._calls.each_broker(
            targets, lambda _: DeleteTopic(topic=topic)
        )
        await self._calls.each_name_server(lambda: DeleteTopicInNamesrv(topic=topic))
        return {f"{topic} at {who}": why for who, why in deleted.failed.items()}


def _always(request: CloneGroupOffsets) -> Callable[[str], CloneGroupOffsets]:
    """Return what gives every broker the same request."""
    return lambda _: request


def _clone(source: str, target: str, topic: str) -> CloneGroupOffsets:
    """Return the request that copies offsets, whether the group is online or not."""
    return CloneGroupOffsets(
        src_group=source, dest_group=target, topic=topic, offline=True
    )
