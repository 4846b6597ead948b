"""
Creates, changes and deletes topics.

Source: ``UpdateTopicSubCommand`` and ``DeleteTopicSubCommand`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rocketmq_tw.admin.calls import Calls, Outcomes, at_masters
from rocketmq_tw.admin.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
)
from rocketmq_tw.admin.results.topics import Changed
from rocketmq_tw.admin.topic_configs import topic_configs
from rocketmq_tw.model.topic import (
    AUTO_CREATE_TOPIC,
    PERM_READ,
    PERM_WRITE,
    TopicConfig,
    check_topic_name,
)
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.kvconfig import DeleteKVConfig, GetKVConfig, PutKVConfig
from rocketmq_tw.wire.requests.route import DeleteTopicInNamesrv
from rocketmq_tw.wire.requests.topic import CreateTopic, DeleteTopic

#: The namespace of name servers with the queues of topics whose order is global.
ORDER_NAMESPACE = "ORDER_TOPIC_CONFIG"
_PERMISSIONS = {
    "rw": PERM_READ | PERM_WRITE,
    "wr": PERM_READ | PERM_WRITE,
    "r": PERM_READ,
    "w": PERM_WRITE,
    "-": 0,
}


class TopicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a topic gets, or what of it changes; None leaves it as it is.

    :ivar queues: readable and writeable ones, at each broker.
    :ivar permission: ``rw``, ``r``, ``w`` or ``-``.
    :ivar ordered: whether its order is global: the queues stay the same if a broker is
        gone.
    :ivar attributes: an empty value removes the attribute.
    """

    queues: int | None = None
    read_queues: int | None = None
    write_queues: int | None = None
    permission: str | None = None
    ordered: bool | None = None
    attributes: Mapping[str, str] = {}

    def applied_to(self, config: TopicConfig) -> TopicConfig:
        """
        Return the settings of a topic after the change.

        :raises InvalidArgument: a setting is not valid.
        """
        perm = config.perm
        if self.permission is not None:
            if self.permission not in _PERMISSIONS:
                raise InvalidArgument(
                    f'the permission "{self.permission}" is none of rw, r, w and -'
                )
            perm = _PERMISSIONS[self.permission]
        return msgspec.structs.replace(
            config,
            read_queue_nums=_first(
                self.read_queues, self.queues, config.read_queue_nums
            ),
            write_queue_nums=_first(
                self.write_queues, self.queues, config.write_queue_nums
            ),
            perm=perm,
            order=config.order if self.ordered is None else self.ordered,
        )


class TopicChanges:
    """Sends brokers and name servers the changes of one administrator."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create(
        self,
        topic: str,
        settings: TopicSettings,
        cluster: str | None,
        brokers: tuple[str, ...] | None,
    ) -> Changed:
        """
        Create a topic at the masters of a cluster, or of the named brokers.

        :raises IllegalTopic: the name is not legal.
        :raises AlreadyExists: one of the brokers has it.
        :raises NotFound: there is no such cluster or broker.
        """
        check_topic_name(topic)
        targets, away = await self._targets(cluster, brokers)
        present = (await self._configs(topic, targets)).ok
        if present:
            raise AlreadyExists("topic", topic, f"at {', '.join(sorted(present))}")
        wanted = settings.applied_to(TopicConfig(topic, 8, 8))
        configs = dict.fromkeys(targets, wanted)
        done = await self._put(targets, configs, settings, keep_order=True)
        return Changed(done.done, {**away, **done.failed})

    async def update(self, topic: str, settings: TopicSettings) -> Changed:
        """
        Change a topic at all brokers that have it.

        :raises NotFound: none has it.
        """
        targets, configs = await self._held(topic, "changed")
        wanted = {
            broker: settings.applied_to(config) for broker, config in configs.ok.items()
        }
        known = {broker: targets[broker] for broker in wanted}
        ordered = any(config.order for config in wanted.values())
        done = await self._put(
            known,
            wanted,
            settings,
            keep_order=ordered or settings.ordered is not None,
        )
        return Changed(done.done, {**configs.failed, **done.failed})

    async def unread(self, topic: str, settings: TopicSettings) -> dict[str, int]:
        """Return the brokers of which a change hides queues; see ``topics.unread``."""
        _, configs = await self._held(topic, "changed")
        after = {b: settings.applied_to(c) for b, c in configs.ok.items()}
        return {
            broker: config.read_queue_nums - after[broker].read_queue_nums
            for broker, config in configs.ok.items()
            if after[broker].read_queue_nums < config.read_queue_nums
        }

    async def delete(self, topic: str) -> Changed:
        """
        Delete a topic at all brokers that have it, and at the name servers.

        :raises NotFound: none has it.
        """
        targets, configs = await self._held(topic, "deleted")
        known = {broker: targets[broker] for broker in configs.ok}
        deleted = await self._calls.each_broker(
            known, lambda _: DeleteTopic(topic=topic)
        )
        deleted.need_change(f'the topic "{topic}" is not deleted')
        failed = {**configs.failed, **deleted.failed}
        if not failed:
            # Otherwise clients could not reach what is left.
            names = await self._calls.each_name_server(
                lambda: DeleteTopicInNamesrv(topic=topic)
            )
            await self._calls.each_name_server(
                lambda: DeleteKVConfig(namespace=ORDER_NAMESPACE, key=topic)
            )
            failed.update(names.failed)
        return Changed(tuple(deleted.ok), failed)

    # -- parts

    async def _targets(
        self, cluster: str | None, brokers: tuple[str, ...] | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """
        Return the masters of a cluster, or those named, and brokers without a master.

        :raises NotFound: there is no such cluster or broker.
        """
        masters, away = await self._calls.masters(cluster)
        if not brokers:
            return masters, away
        for name in brokers:
            if name not in masters:
                raise NotFound("broker", name, "or it has no master now")
        return {name: masters[name] for name in brokers}, {}

    async def _held(
        self, topic: str, what: str
    ) -> tuple[dict[str, str], Outcomes[TopicConfig]]:
        """
        Return all masters, and the settings of a topic at those that have it.

        :param what: what is to be done with it.
        :raises NotFound: no broker has it.
        """
        brokers = await self._calls.registered()
        held = await self._configs(topic, brokers.readers())
        held = at_masters(held, brokers)
        held.need_known(f'the topic "{topic}" is not {what}', "topic", topic)
        return brokers.masters(), held

    async def _configs(
        self, topic: str, targets: Mapping[str, str]
    ) -> Outcomes[TopicConfig]:
        """Return the settings at the brokers that have the topic."""
        asked = await topic_configs(self._calls, topic, targets)
        return asked.without(ResponseCode.TOPIC_NOT_EXIST)

    async def _put(
        self,
        targets: Mapping[str, str],
        configs: Mapping[str, TopicConfig],
        settings: TopicSettings,
        *,
        keep_order: bool,
    ) -> Changed:
        """Send each broker its settings, and name servers the order if it is global."""
        names = {address: name for name, address in targets.items()}

        async def put(address: str) -> Response:
            request = _request(configs[names[address]], settings.attributes)
            return await self._calls.broker(address, request)

        done = await self._calls.each(targets, put)
        done.need_change("nothing is changed")
        failed = done.failed
        if keep_order and done.ok:
            failed.update(await self._put_order({b: configs[b] for b in done.ok}))
        return Changed(tuple(done.ok), failed)

    async def _put_order(self, configs: Mapping[str, TopicConfig]) -> dict[str, str]:
        """Let name servers know the queues of an ordered topic, or forget them."""
        topic = next(iter(configs.values())).topic_name
        known = await self._order(topic)
        counts = {b: n for b, n in known.items() if b not in configs}
        counts |= {b: str(c.write_queue_nums) for b, c in configs.items() if c.order}
        if not counts:
            forgotten = await self._calls.each_name_server(
                lambda: DeleteKVConfig(namespace=ORDER_NAMESPACE, key=topic)
            )
            return forgotten.failed
        text = ";".join(f"{broker}:{count}" for broker, count in sorted(counts.items()))
        put = await self._calls.each_name_server(
            lambda: PutKVConfig(namespace=ORDER_NAMESPACE, key=topic, value=text)
        )
        return put.failed

    async def _order(self, topic: str) -> dict[str, str]:
        """Return the numbers of queues that name servers know, by broker."""
        asked = await self._calls.each_name_server(
            lambda: GetKVConfig(namespace=ORDER_NAMESPACE, key=topic)
        )
        counts: dict[str, str] = {}
        for each in asked.ok.values():
            for entry in (each.value or "").split(";"):
                broker, _, count = entry.rpartition(":")
                if broker:
                    counts[broker] = count
        return counts


def _request(config: TopicConfig, attributes: Mapping[str, str]) -> CreateTopic:
    """Return the request that gives a broker the settings of a topic."""
    changes = ",".join(
        f"+{name}={value}" if value else f"-{name}"
        for name, value in sorted(attributes.items())
    )
    return CreateTopic(
        topic=config.topic_name,
        default_topic=AUTO_CREATE_TOPIC,
        read_queue_nums=config.read_queue_nums,
        write_queue_nums=config.write_queue_nums,
        perm=config.perm,
        topic_filter_type=config.topic_filter_type.value,
        topic_sys_flag=config.topic_sys_flag,
        order=config.order,
        attributes=changes or None,
    )


def _first(*numbers: int | None) -> int:
    """Return the first that is there."""
    return next(number for number in numbers if number is not None)
