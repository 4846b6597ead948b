"""
Settings of Apache RocketMQ that have no effect in this broker.

A setting that an operator relies on (replicas, access control, paths of files) is
refused at the start. Others are listed in a warning. ``doc/howto/run.rst`` has the same
list for operators.

Source: ``BrokerConfig``, ``MessageStoreConfig``, ``AuthConfig`` and
``NettyServerConfig`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.settings import Unsupported


def _refused(expected: str, *harmless: str) -> Unsupported:
    """Return the entry of a setting that must not be ignored."""
    return Unsupported(harmless=harmless or ("false",), expected=expected)


_NO_LIGHT_QUEUES = _refused("false: there are no light queues")
_NO_EFFECT = Unsupported()

#: By key. ``harmless`` are the values with which Apache RocketMQ does the same as this
#: broker.
UNSUPPORTED = {
    # Replicas and failover.
    "allAckInSyncStateSet": _NO_EFFECT,
    "enableControllerMode": _refused("false: there are no controllers yet"),
    "enableDLegerCommitLog": _refused("false: there is no DLedger"),
    # Where messages, topics and offsets are stored, and in which format.
    "configManagerVersion": _refused("v1: tables are kept as JSON", "v1"),
    "enableConsumeQueueExt": _refused("false: entries of queues are not extended"),
    "enableLmq": _NO_LIGHT_QUEUES,
    "enableMultiDispatch": _NO_LIGHT_QUEUES,
    "readOnlyCommitLogStorePaths": _refused("nothing: there is one commit log", ""),
    "storeType": _refused("default: queues are kept in plain files", "default"),
    # Features that fail when they are used, or that have another equivalent here.
    "channelExpiredTimeout": Unsupported(harmless=("120000",)),
    "enableCalcFilterBitMap": _NO_EFFECT,
    "enableScheduleMessageStats": Unsupported(harmless=("true",)),
    "fetchNamesrvAddrByAddressServer": _NO_EFFECT,
    # With the default of the second, half messages are kept in their topic, too.
    "transRocksDBEnable": _NO_EFFECT,
    "transWriteOriginTransHalfEnable": _refused(
        "true: half messages are kept in their topic", "true"
    ),
    "transactionCheckRocksdbCoreThreads": Unsupported(harmless=("2",)),
    "transactionCheckRocksdbMaxThreads": Unsupported(harmless=("5",)),
    "transactionCheckRocksdbQueueCapacity": Unsupported(harmless=("2000",)),
    "timerEnableRetryUntilSuccess": Unsupported(harmless=("true",)),
    "timerInterceptDelayLevel": Unsupported(harmless=("true", "false")),
    "timerRocksDBEnable": _refused("false: timed messages wait in a wheel"),
    "timerSkipUnknownError": _NO_EFFECT,
    "timerStopDequeue": _refused("false: timed messages are always delivered"),
    "timerStopEnqueue": _refused("false: timed messages are always delivered"),
    "timerWheelSnapshotFlush": _refused("false: the timer's wheel is mapped"),
    "transientStorePoolEnable": _NO_EFFECT,
    "warmMapedFileEnable": _NO_EFFECT,
    "writeWithoutMmap": _NO_EFFECT,
}
