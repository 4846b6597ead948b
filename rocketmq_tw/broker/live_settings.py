"""
Settings that can be changed while the broker runs.

Each has parts that take the new value. The change lasts until the broker stops: what it
starts with is in its configuration file, which it never writes.

Source: ``AdminBrokerProcessor.updateBrokerConfig`` of RocketMQ 5, which changes any
setting, has no effect with many of them, and writes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import FieldInfo, fields, replace

from rocketmq_tw import settings
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.statistics.service import Statistics
from rocketmq_tw.broker.store import Store, retention
from rocketmq_tw.broker.tables.table_set import Tables
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe

#: Takes the new settings.
Apply = Callable[[BrokerConfig], None]

#: Those of the deletion of old files.
_RETENTION = """
    fileReservedTime deleteWhen deleteCommitLogFilesInterval deleteFileBatchMax
    cleanFileForciblyEnable diskMaxUsedSpaceRatio diskSpaceCleanForciblyRatio
    diskSpaceWarningLevelRatio
""".split()
#: Those of the sizes of tables.
_LIMITS = """
    maxTopics maxQueues maxSubscriptionGroups maxConsumerOffsets maxPullOffsets
    maxForbiddenTopics maxStatistics
""".split()


#: Keys that an error names, at most.
_NAMED = 10


class NotChangeable(RocketMQError):
    """
    Some settings cannot be changed while the broker runs, or do not exist.

    :ivar fixed: those that only a restart changes.
    :ivar unknown: those that there are not.
    :ivar others: those that can be changed.
    """

    def __init__(
        self,
        fixed: tuple[str, ...],
        unknown: tuple[str, ...],
        others: tuple[str, ...],
    ) -> None:
        super().__init__(fixed, unknown, others)
        self.fixed = fixed
        self.unknown = unknown
        self.others = others

    def __str__(self) -> str:
        why = []
        if self.unknown:
            why.append(f"there is no setting {_listed(self.unknown)}")
        if self.fixed:
            why.append(
                f"{_listed(self.fixed)} cannot be changed while the broker runs: set it"
                " in the broker's configuration file and restart the broker"
            )
        return (
            f"{'; '.join(why) or 'no setting is named'}. Nothing is changed. These can"
            f" be: {', '.join(self.others)}"
        )


def _listed(keys: tuple[str, ...]) -> str:
    """Return some keys for an error; they come from the wire."""
    more = len(keys) - _NAMED
    named = ", ".join(log_safe(key) for key in keys[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named


class LiveSettings:
    """
    The settings of a running broker.

    :param applied: by key, what takes a new value.
    :ivar config: the settings as they are now.
    """

    def __init__(self, config: BrokerConfig, applied: Mapping[str, Apply]) -> None:
        self.config = config
        self._applied = dict(applied)
        self._fields: dict[str, FieldInfo] = {
            field.encode_name: field for field in fields(BrokerConfig)
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of settings that can be changed, sorted."""
        return tuple(sorted(self._applied))

    def change(self, values: Mapping[str, str]) -> None:
        """
        Change all of these settings, or none.

        :raises NotChangeable: one of them cannot be, or there is none.
        :raises BadSetting: a value is not of its setting's type.
        """
        others = values.keys() - self._applied.keys()
        if others or not values:
            fixed = tuple(sorted(others & self._fields.keys()))
            unknown = tuple(sorted(others - self._fields.keys()))
            raise NotChangeable(fixed, unknown, self.keys)
        parsed, _ = settings.apply(BrokerConfig, values)
        names = [self._fields[key].name for key in values]
        changes = {name: getattr(parsed, name) for name in names}
        self.config = replace(self.config, **changes)
        for apply in dict.fromkeys(self._applied[key] for key in sorted(values)):
            apply(self.config)


def live_settings(
    config: BrokerConfig, *, store: Store, tables: Tables, statistics: Statistics
) -> LiveSettings:
    """Return the settings of a broker, with the parts that take new ones."""
    topics, groups = tables.topics, tables.groups

    def limits(config: BrokerConfig) -> None:
        topics.limit = config.max_topics
        topics.queues.limit = config.max_queues
        groups.limit = config.max_subscription_groups
        groups.max_forbidden = config.max_forbidden_topics
        tables.offsets.limit = config.max_consumer_offsets
        tables.progress.limit = config.max_pull_offsets
        statistics.limit = config.max_statistics

    def files(config: BrokerConfig) -> None:
        store.set_retention(retention(config))

    def permission(config: BrokerConfig) -> None:
        topics.set_permission(config.broker_permission)

    def new_topics(config: BrokerConfig) -> None:
        topics.allow_creation(
            config.auto_create_topic_enable, config.default_topic_queue_nums
        )

    def new_groups(config: BrokerConfig) -> None:
        groups.auto_create = config.auto_create_subscription_group

    return LiveSettings(
        config,
        {
            **dict.fromkeys(_LIMITS, limits),
            **dict.fromkeys(_RETENTION, files),
            "brokerPermission": permission,
            "autoCreateTopicEnable": new_topics,
            "autoCreateSubscriptionGroup": new_groups,
        },
    )
