"""
Inspects a broker as a whole: its statistics and its settings.

Source: ``AdminBrokerProcessor.prepareRuntimeInfo`` and ``getBrokerConfig`` of
RocketMQ 5.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.live_settings import LiveSettings, NotChangeable
from rocketmq_tw.broker.new_topics import NewTopics
from rocketmq_tw.broker.stats import SAMPLE_PERIOD, BrokerStats
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.settings import BadSetting, to_values
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.kvtable import (
    KVTable,
    decode_properties,
    encode_properties,
)
from rocketmq_tw.wire.codes import VERSION, ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.admin import (
    BrokerConfigResponse,
    GetBrokerConfig,
    GetRuntimeInfo,
    UpdateBrokerConfig,
)

#: The name of ``VERSION``, as tools show it.
VERSION_NAME = "V5_3_3"

#: The capacity of what has no limit.
_UNLIMITED = "2147483647"

#: Values that tools require and that never change here: requests are handled as they
#: arrive, so none waits in a queue.
_CONSTANT = {
    "EndTransactionQueueSize": "0",
    "EndTransactionThreadPoolQueueCapacity": _UNLIMITED,
    "brokerVersion": str(VERSION),
    "brokerVersionDesc": VERSION_NAME,
    "dispatchBehindBytes": "0",
    "dispatchMaxBuffer": "0",
    "remainTransientStoreBufferNumbs": _UNLIMITED,
    "pageCacheLockTimeMills": "0",
    # A slave delivers no timed messages.
    "timerCongestNum": "0",
    "timerDequeueTps": "0.0",
    "timerEnqueueTps": "0.0",
    "timerOffsetBehind": "0",
    "timerReadBehind": "0",
    **{
        f"{kind}ThreadPoolQueue{what}": "0"
        for kind in ("send", "pull", "litePull", "query", "ack")
        for what in ("Size", "HeadWaitTimeMills")
    },
    **{
        f"{kind}ThreadPoolQueueCapacity": _UNLIMITED
        for kind in ("send", "pull", "litePull", "query", "ack")
    },
}

#: Characters of changed settings that are logged.
_LOGGED = 500

#: Settings that ``mqadmin exportConfigs`` requires and that never change here.
_CONSTANT_SETTINGS = {
    "filterServerNums": "0",
    "useTLS": "false",
}


def install(broker: Broker, router: Router) -> None:
    """Register the handlers, and sample the counters for the rates."""
    stats = broker.stats
    InfoProcessor(
        store=broker.store,
        stats=stats,
        root=broker.config.store_path_root_dir,
        live=broker.live,
        new_topics=broker.new_topics,
        is_active=_activity(broker),
        peers=PeerLog(broker.clock),
    ).routes(router)
    broker.periodic.every(SAMPLE_PERIOD * 1000, stats.sample)


def _activity(broker: Broker) -> Callable[[], bool]:
    """Return a function that says whether the broker acts as a master now."""
    gauges = broker.stats.gauges
    if not broker.config.is_slave:
        return lambda: True
    return lambda: bool("actsForMaster" in gauges and gauges["actsForMaster"]())


class InfoProcessor:
    """
    Handles requests for statistics and settings.

    :param root: the store's directory, whose disk usage is reported.
    :param live: the settings.
    :param is_active: whether the broker delivers what waits for a time, as a master
        does, and a slave only while it acts for its master.
    :param new_topics: holds responses until name servers know of a change.
    :param peers: limits what is logged of changes.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        stats: BrokerStats,
        root: str,
        live: LiveSettings,
        new_topics: NewTopics,
        is_active: Callable[[], bool],
        peers: PeerLog,
    ) -> None:
        self._store = store
        self._stats = stats
        self._root = root
        self._live = live
        self._new_topics = new_topics
        self._is_active = is_active
        self._peers = peers
        self._version = DataVersion().next(int(stats.boot_time * 1000))

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(GetRuntimeInfo, self.runtime_info)
        router.on(GetBrokerConfig, self.config)
        router.on(UpdateBrokerConfig, self._new_topics.holding(self.update_config))

    def runtime_info(
        self, request: GetRuntimeInfo, call: Call
    ) -> Response | Deferred[Response]:
        """Return the statistics that tools show, under the names of Apache RocketMQ."""
        return then(self._store.earliest_store_time(), self._runtime_info)

    def _runtime_info(self, earliest_ms: int) -> Response:
        """
        Return the statistics; ``earliest_ms`` is the store time of the oldest message.
        """
        table = {
            **_CONSTANT,
            **self._rates(),
            **self._totals(),
            **self._times(),
            **self._commit_log(),
            "earliestMessageTimeStamp": str(earliest_ms),
            "brokerActive": "true" if self._is_active() else "false",
            **self._disk(),
            **self._age(),
            # Not Apache RocketMQ's.
            **{name: str(gauge()) for name, gauge in self._stats.gauges.items()},
        }
        return Response(body=KVTable(table).encode())

    def config(self, request: GetBrokerConfig, call: Call) -> BrokerConfigResponse:
        """Return the settings as they are now."""
        version = self._version.encode().decode()
        values = to_values(self._live.config)
        text = encode_properties({**_CONSTANT_SETTINGS, **values})
        return BrokerConfigResponse(version, body=text)

    def update_config(self, request: UpdateBrokerConfig, call: Call) -> Response:
        """
        Change all requested settings or none, until the broker stops.

        :raises Refused: one cannot be changed, or not to that value.
        """
        values = decode_properties(request.body)
        try:
            self._live.change(values)
        except NotChangeable as error:
            raise Refused(ResponseCode.NO_PERMISSION, str(error)) from None
        except BadSetting as error:
            raise Refused(ResponseCode.SYSTEM_ERROR, str(error)) from None
        self._version = self._version.next(int(self._stats.now * 1000))
        client = call.peer.address
        self._peers.info(
            self._log,
            client,
            "settings changed by {client}, until the broker stops: {values}",
            client=client,
            values=log_safe(str(values), _LOGGED),
        )
        return Response()

    def _rates(self) -> dict[str, str]:
        """Return the rates per second, over 10 s, 1 min and 10 min."""
        stats = self._stats
        out = _three(stats.rates("messages_out"))
        return {
            "putTps": _three(stats.rates("messages_in")),
            "getFoundTps": _three(stats.rates("hits")),
            "getMissTps": _three(stats.rates("misses")),
            "getTotalTps": _three(stats.rates("hits", "misses")),
            "getTransferredTps": out,
            # The spelling of 4.9.
            "getTransferedTps": out,
        }

    def _totals(self) -> dict[str, str]:
        """
        Return the counters since the start, and those at the beginning of the days.
        """
        stats = self._stats
        now, today = stats.counts, stats.this_morning
        yesterday = stats.yesterday_morning
        average = now.bytes_in / now.messages_in if now.messages_in else 0.0
        return {
            "msgPutTotalTodayNow": str(now.messages_in),
            "msgPutTotalTodayMorning": str(today.messages_in),
            "msgPutTotalYesterdayMorning": str(yesterday.messages_in),
            "msgGetTotalTodayNow": str(now.messages_out),
            "msgGetTotalTodayMorning": str(today.messages_out),
            "msgGetTotalYesterdayMorning": str(yesterday.messages_out),
            "putMessageTimesTotal": str(now.messages_in),
            "putMessageFailedTimes": str(now.failures),
            "putMessageSizeTotal": str(now.bytes_in),
            "putMessageAverageSize": str(average),
        }

    def _times(self) -> dict[str, str]:
        """Return how long it took to store messages, and to read them."""
        times = self._stats.put_times
        return {
            "putMessageDistributeTime": times.text(),
            "putMessageEntireTimeMax": str(times.longest_ms),
            "putLatency99": f"{times.percentile(0.99):.2f}",
            "putLatency999": f"{times.percentile(0.999):.2f}",
            "getMessageEntireTimeMax": str(self._stats.longest_read_ms),
        }

    def _commit_log(self) -> dict[str, str]:
        """Return the bounds of the commit log and whether it is writeable."""
        store = self._store
        return {
            "commitLogMinOffset": str(store.commit_log_min),
            "commitLogMaxOffset": str(store.commit_log_max),
            "remainHowManyDataToFlush": _size(store.commit_log_max - store.flushed),
            "storeWriteable": "true" if store.failure is None else "false",
            # An extension: why it is not writeable; empty if it is.
            "storeFailure": store.failure or "",
        }

    def _disk(self) -> dict[str, str]:
        """Return the usage of the store's disk."""
        usage = shutil.disk_usage(self._root)
        ratio = str(usage.used / usage.total if usage.total else 0.0)
        return {
            "commitLogDiskRatio": ratio,
            f"commitLogDiskRatio_{self._root}": ratio,
            "consumeQueueDiskRatio": ratio,
            "commitLogDirCapacity": (
                f"Total : {_size(usage.total)}, Free : {_size(usage.free)}."
            ),
        }

    def _age(self) -> dict[str, str]:
        """Return how long the broker has been running."""
        boot = self._stats.boot_time
        minutes, seconds = divmod(int(self._stats.age), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return {
            "bootTimestamp": str(int(boot * 1000)),
            "startAcceptSendRequestTimeStamp": str(int(boot * 1000)),
            "runtime": (
                f"[ {days} days, {hours} hours, {minutes} minutes, {seconds} seconds ]"
            ),
        }


def _three(rates: tuple[float, ...]) -> str:
    """Format rates as Apache RocketMQ does."""
    return " ".join(map(str, rates))


def _size(size: float) -> str:
    """Format a number of bytes for human readers."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
