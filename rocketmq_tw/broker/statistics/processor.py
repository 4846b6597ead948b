"""
Shows tools how many messages came and went in the last minute, hour and day.

Source: ``AdminBrokerProcessor.viewBrokerStatsData`` and ``BrokerStatsManager`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.statistics import service as columns
from rocketmq_tw.broker.statistics.service import Statistics
from rocketmq_tw.broker.statistics.windows import PERIOD, Grown, Windows
from rocketmq_tw.broker.stats import SENDS, TIME
from rocketmq_tw.broker.tables import progress
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.wire.bodies.stats import BrokerStatsData, BrokerStatsItem
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import ViewStatistics

if TYPE_CHECKING:
    from rocketmq_tw.broker.statistics.behind import Behind

#: The column of each name, and that of how often it grew.
_QUEUES = {
    "PUT_NUMS": (columns.MESSAGES, columns.MESSAGES),
    "PUT_SIZE": (columns.SIZE, columns.MESSAGES),
}
_GROUPS = {
    "GROUP_GET_NUMS": (columns.MESSAGES, columns.PULLS),
    "GROUP_GET_SIZE": (columns.SIZE, columns.PULLS),
    "GROUP_ACK_NUMS": (columns.ACKNOWLEDGED, columns.ACKNOWLEDGED),
    "GROUP_CK_NUMS": (columns.POPS, columns.POPS),
    "SNDBCK_PUT_NUMS": (columns.SENT_BACK, columns.SENT_BACK),
    "DLQ_PUT_NUMS": (columns.DEAD_LETTERS, columns.DEAD_LETTERS),
}
#: Those of a group's reads of one queue.
_READS = {
    "QUEUE_GET_NUMS": (progress.MESSAGES, progress.PULLS),
    "QUEUE_GET_SIZE": (progress.SIZE, progress.PULLS),
    "GROUP_GET_LATENCY": (progress.WAITED, progress.PULLS),
}
#: How long sends to one queue took.
_PUT_LATENCY = "TOPIC_PUT_LATENCY"
#: How far a group is behind.
_FALL = "GROUP_GET_FALL_"
#: What the key of this one ends with; it begins with an owner, which nobody is.
_TO_DEAD_LETTERS, _OWNER, _SENT_BACK = "SNDBCK2DLQ_TIMES", "null@", "@SEND_BACK_TO_DLQ"
_BROKER = {
    "BROKER_PUT_NUMS": (columns.MESSAGES, columns.MESSAGES),
    "BROKER_GET_NUMS": (columns.OUT, columns.PULLS),
    "BROKER_ACK_NUMS": (columns.ACKNOWLEDGED, columns.ACKNOWLEDGED),
    "BROKER_CK_NUMS": (columns.POPS, columns.POPS),
    "BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC": (columns.IN_PLAIN, columns.IN_PLAIN),
    "BROKER_GET_NUMS_WITHOUT_SYSTEM_TOPIC": (columns.OUT_PLAIN, columns.PULLS),
}


def install(broker: Broker, router: Router) -> None:
    """Register the handler, and sample the counters."""
    statistics, pacer = broker.statistics, broker.pacer
    broker.stats.gauges.update(statistics.gauges())
    StatisticsProcessor(
        statistics, broker.config.broker_cluster_name, lambda: _behind(broker)
    ).routes(router)
    broker.periodic.every(
        PERIOD * 1000,
        lambda: pacer.run(statistics.sample(), None, key=statistics),
    )


def _behind(broker: Broker) -> Behind:
    """Make what is seldom asked for."""
    from rocketmq_tw.broker.statistics.behind import Behind

    return Behind(broker.store, broker.tables.progress, lambda: broker.stats.now)


class StatisticsProcessor:
    """
    Handles requests for statistics.

    :param cluster: the key of those of the broker.
    :param make_behind: makes what looks up how far groups are behind.
    """

    def __init__(
        self, statistics: Statistics, cluster: str, make_behind: Callable[[], Behind]
    ) -> None:
        self._statistics = statistics
        self._make_behind = make_behind
        self._cluster = cluster

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(ViewStatistics, self.view)

    def view(self, request: ViewStatistics, call: Call) -> Outcome:
        """
        Return a counter's growth in each window.

        :raises Refused: nothing was counted under that name and key.
        """
        name, key = request.stats_name, request.stats_key
        if name.startswith(_FALL):
            found = self._make_behind().of(name, *_queue_of(key))
            return then(found, lambda value: _moment(name, key, value))
        if name == _PUT_LATENCY:
            topic, queue_id, _ = _queue_of(key)
            windows = self._statistics.queue_puts(topic, queue_id)
            column, times = TIME, SENDS
        elif name in _READS:
            windows, column, times = self._find_reads(name, key)
        else:
            windows, column, times = self._find(name, key)
            if windows is not None and not windows.totals[column]:
                windows = None
        if windows is None:
            raise _unknown(name, key)
        minute, hour, day = self._statistics.grown(windows, column, times)
        data = BrokerStatsData(_item(minute), _item(hour), _item(day))
        return Response(body=data.encode())

    def _find_reads(self, name: str, key: str) -> tuple[Windows | None, int, int]:
        """Return the windows of a group in one queue, and two columns of them."""
        if name == "GROUP_GET_LATENCY":
            topic, queue_id, group = _queue_of(key)
        else:
            topic, _, rest = key.partition("@")
            text, _, group = rest.partition("@")
            queue_id = _number(text)
        found = self._statistics.queue_reads(topic, queue_id, group)
        return found, *_READS[name]

    def _find(self, name: str, key: str) -> tuple[Windows | None, int, int]:
        """Return the windows under a name and a key, and two columns of them."""
        statistics = self._statistics
        if name == _TO_DEAD_LETTERS:
            is_whole = key.startswith(_OWNER) and key.endswith(_SENT_BACK)
            key = key[len(_OWNER) : -len(_SENT_BACK)] if is_whole else ""
            name = "DLQ_PUT_NUMS"
        topic, _, rest = key.partition("@")
        if name in _GROUPS:
            return statistics.group(topic, rest), *_GROUPS[name]
        if name in _BROKER:
            found = statistics.broker if key == self._cluster else None
            return found, *_BROKER[name]
        kind, _, what = name.partition("_")
        if kind == "TOPIC" and what in _QUEUES:
            return statistics.topic(key), *_QUEUES[what]
        if kind == "QUEUE" and what in _QUEUES and _number(rest) >= 0:
            return statistics.queue(topic, _number(rest)), *_QUEUES[what]
        return None, 0, 0


def _number(text: str) -> int:
    """Return a queue id; -1 if it is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _queue_of(key: str) -> tuple[str, int, str]:
    """Return the topic, the queue id and the group of a key that begins with the id."""
    text, _, rest = key.partition("@")
    topic, _, group = rest.partition("@")
    return topic, _number(text), group


def _unknown(name: str, key: str) -> Refused:
    why = f"The stats <{name}> <{key}> not exist"
    return Refused(ResponseCode.SYSTEM_ERROR, why)


def _moment(name: str, key: str, value: int | None) -> Response:
    """Return what is so now, in the place of the last minute."""
    if value is None:
        raise _unknown(name, key)
    now, never = BrokerStatsItem(value, 0.0, float(value)), BrokerStatsItem(0, 0.0, 0.0)
    return Response(body=BrokerStatsData(now, never, never).encode())


def _item(grown: Grown) -> BrokerStatsItem:
    return BrokerStatsItem(grown.sum, grown.rate, grown.average)
