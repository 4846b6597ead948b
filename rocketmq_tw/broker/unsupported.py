"""
Settings of Apache RocketMQ that this broker does not act on.

Where somebody relies on a setting (a second copy of each message, a password, a place
where the files are), it is refused, so that nobody finds out later. Others are named in
a warning. ``doc/howto/run.rst`` has the same list for operators.

Source: ``BrokerConfig``, ``MessageStoreConfig``, ``AuthConfig``, ``NettyServerConfig``
and ``TlsSystemConfig`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.settings import Unsupported


def _refused(expected: str, *harmless: str) -> Unsupported:
    """Make the entry of a setting that must not be ignored."""
    return Unsupported(harmless=harmless or ("false",), expected=expected)


def _one_copy(key_expected: str, *harmless: str) -> Unsupported:
    """Make the entry of a setting that asks for replicas."""
    return _refused(f"{key_expected}: there are no replicas yet", *harmless)


_NO_ACCESS_CONTROL = _refused("false: this broker does not check yet who asks")
_NO_TLS = "connections are not encrypted yet"
_NO_LIGHT_QUEUES = _refused("false: there are no light queues")
_NO_EFFECT = Unsupported()

#: By key; the values that ask for nothing are those of a broker that lacks the feature.
UNSUPPORTED = {
    # A second copy of every message, or somebody else who takes over.
    "brokerRole": _one_copy("ASYNC_MASTER", "async_master"),
    "brokerId": _one_copy("0", "0"),
    "inSyncReplicas": _one_copy("1", "1"),
    "minInSyncReplicas": _one_copy("1", "1"),
    "allAckInSyncStateSet": _one_copy("false"),
    "enableControllerMode": _refused("false: there are no controllers yet"),
    "enableDLegerCommitLog": _refused("false: there is no DLedger"),
    # Who may ask, and who may listen in.
    "aclEnable": _NO_ACCESS_CONTROL,
    "authenticationEnabled": _NO_ACCESS_CONTROL,
    "authorizationEnabled": _NO_ACCESS_CONTROL,
    "tls.enable": _refused(f"false: {_NO_TLS}"),
    "tls.server.mode": _refused(f"disabled: {_NO_TLS}", "disabled", "permissive"),
    "useTLS": _refused(f"false: {_NO_TLS}"),
    # Where messages, topics and offsets are, and how they are written there.
    "configManagerVersion": _refused("v1: tables are kept as JSON", "v1"),
    "enableConsumeQueueExt": _refused("false: entries of queues are not extended"),
    "enableLmq": _NO_LIGHT_QUEUES,
    "enableMultiDispatch": _NO_LIGHT_QUEUES,
    "readOnlyCommitLogStorePaths": _refused("nothing: there is one commit log", ""),
    "storeType": _refused("default: queues are kept in plain files", "default"),
    # What fails where it is asked for, or is done in another way with the same result.
    "channelExpiredTimeout": Unsupported(harmless=("120000",)),
    "enableCalcFilterBitMap": _NO_EFFECT,
    "enablePropertyFilter": _NO_EFFECT,
    "enableScheduleMessageStats": Unsupported(harmless=("true",)),
    "enableSlaveActingMaster": _NO_EFFECT,
    "fetchNamesrvAddrByAddressServer": _NO_EFFECT,
    "rejectTransactionMessage": Unsupported(harmless=("true", "false")),
    "slaveReadEnable": _NO_EFFECT,
    "timerWheelEnable": Unsupported(harmless=("true", "false")),
    "traceTopicEnable": _NO_EFFECT,
    "transientStorePoolEnable": _NO_EFFECT,
    "warmMapedFileEnable": _NO_EFFECT,
    "writeWithoutMmap": _NO_EFFECT,
}
