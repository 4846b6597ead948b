"""
Shows tools how many messages came and went in the last minute, hour and day.

Source: ``AdminBrokerProcessor.viewBrokerStatsData`` and ``BrokerStatsManager`` of
RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.statistics import service as columns
from rocketmq_tw.broker.statistics.service import Statistics
from rocketmq_tw.broker.statistics.windows import PERIOD, Grown, Windows
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.stats import BrokerStatsData, BrokerStatsItem
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import ViewStatistics

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
}
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
    StatisticsProcessor(statistics, broker.config.broker_cluster_name).routes(router)
    broker.periodic.every(
        PERIOD * 1000,
        lambda: pacer.run(statistics.sample(), None, key=statistics),
    )


class StatisticsProcessor:
    """
    Handles requests for statistics.

    :param cluster: the key of those of the broker.
    """

    def __init__(self, statistics: Statistics, cluster: str) -> None:
        self._statistics = statistics
        self._cluster = cluster

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(ViewStatistics, self.view)

    def view(self, request: ViewStatistics, call: Call) -> Response:
        """
        Return a counter's growth in each window.

        :raises Refused: nothing was counted under that name and key.
        """
        name, key = request.stats_name, request.stats_key
        windows, column, times = self._find(name, key)
        if windows is None or not windows.totals[column]:
            raise Refused(
                ResponseCode.SYSTEM_ERROR, f"The stats <{name}> <{key}> not exist"
            )
        minute, hour, day = self._statistics.grown(windows, column, times)
        data = BrokerStatsData(_item(minute), _item(hour), _item(day))
        return Response(body=data.encode())

    def _find(self, name: str, key: str) -> tuple[Windows | None, int, int]:
        """Return the windows under a name and a key, and two columns of them."""
        statistics = self._statistics
        topic, _, rest = key.partition("@")
        if name in _GROUPS:
            return statistics.group(topic, rest), *_GROUPS[name]
        if name in _BROKER:
            found = statistics.broker if key == self._cluster else None
            return found, *_BROKER[name]
        kind, _, what = name.partition("_")
        if kind == "TOPIC" and what in _QUEUES:
            return statistics.topic(key), *_QUEUES[what]
        if kind == "QUEUE" and what in _QUEUES and rest.isdecimal() and len(rest) < 10:
            return statistics.queue(topic, int(rest)), *_QUEUES[what]
        return None, 0, 0


def _item(grown: Grown) -> BrokerStatsItem:
    return BrokerStatsItem(grown.sum, grown.rate, grown.average)
