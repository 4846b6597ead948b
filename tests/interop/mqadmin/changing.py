"""Change something, and delete what was made."""

from __future__ import annotations

from .command import (
    BROKER,
    CLUSTER,
    GROUP,
    NO_ROUTE,
    TOPIC,
    differs,
    more,
    refused,
    same,
)

_COLD = "there is no flow control of cold reads here"
_READ_AHEAD = "the operating system decides what is read ahead"

#: Change something.
CHANGING = (
    same(f"updateTopicPerm {BROKER} -t OtherTopic -p 4", "105 17", quick=True),
    same(f"updateTopicPerm {CLUSTER} -t OtherTopic -p 6", "106 105 17"),
    same(f"updateTopicPerm {CLUSTER} -t OtherTopic -p 6", "106 105"),
    more(f"updateTopicPerm {CLUSTER} -t NoSuchTopic -p 6", "105", NO_ROUTE),
    same("updateOrderConf -t OrderTopic -m get", "101"),
    same("updateOrderConf -t OrderTopic -m put -v {name}:2", "101 100"),
    same("updateOrderConf -t OrderTopic -m delete", "102"),
    same("updateKvConfig -s space -k key -v value", "100", quick=True),
    same("deleteKvConfig -s space -k key", "102", quick=True),
    same("updateNamesrvConfig -k enableTopicList -v true", "318", "v55"),
    differs(
        "updateNamesrvConfig -k clusterTest -v false",
        "318",
        "only some settings change while it runs: clusterTest cannot be changed",
    ),
    same(f"updateBrokerConfig {BROKER} -k fileReservedTime -v 48", "25", quick=True),
    same(f"updateBrokerConfig {CLUSTER} -k autoCreateTopicEnable -v true", "106 25"),
    same(
        f"updateBrokerConfig {CLUSTER} -a true -k fileReservedTime -v 47",
        "106 25",
        "v55",
    ),
    differs(
        f"updateBrokerConfig {BROKER} -k maxMessageSize -v 1000000",
        "25",
        "only some settings change while it runs; the remark names them",
    ),
    # The tool compares with the route, in which the topic may only be read then.
    same(f"updateBrokerConfig {BROKER} -k brokerPermission -v 4", "25", quick=True),
    same(f"updateTopicPerm {CLUSTER} -t OtherTopic -p 4", "106 105", quick=True),
    same(f"updateBrokerConfig {BROKER} -k brokerPermission -v 6", "25", quick=True),
    same("wipeWritePerm -b {name}", "205", quick=True),
    same("addWritePerm -b {name}", "327", quick=True),
    same("wipeWritePerm -b NoSuchBroker", "205"),
    same(f"cloneGroupOffset -s {GROUP} -d CloneGroup -t {TOPIC} -o true", "105 208 15"),
    same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now", "105 222", quick=True),
    same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s -1", "105 222", "v55"),
    same(
        f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now {BROKER} -q 0 -o 1",
        "29 15 222",
        "v55",
    ),
    more(f"resetOffsetByTime -g {GROUP} -t NoSuchTopic -s now", "105", NO_ROUTE),
    same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now -f true", "105 222"),
    same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now -c", "105 222", "v49"),
    same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now {CLUSTER}", "105 222", "v55"),
    same(
        f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s 2020-01-01#00:00:00:000",
        "105 222",
    ),
    same(f"resetOffsetByTime -g NoSuchGroup -t {TOPIC} -s now", "105 222", "v55"),
    differs(
        f"resetOffsetByTime -g NoSuchGroup -t {TOPIC} -s now",
        "105 222",
        "the remark has the words of 5.x",
        "v49",
    ),
    same(f"skipAccumulatedMessage -g {GROUP} -t {TOPIC}", "105 222", quick=True),
    same(f"skipAccumulatedMessage -g {GROUP} -t {TOPIC} -f true", "105 222"),
    same(f"skipAccumulatedMessage -g {GROUP} -t {TOPIC} {CLUSTER}", "105 222", "v55"),
    same(f"cleanExpiredCQ {BROKER}", "306", quick=True),
    same(f"cleanExpiredCQ {CLUSTER}", "106 306"),
    same(f"cleanUnusedTopic {BROKER}", "316", quick=True),
    same(f"cleanUnusedTopic {CLUSTER}", "106 316"),
    same(f"deleteExpiredCommitLog {BROKER}", "329", quick=True),
    same(f"deleteExpiredCommitLog {CLUSTER}", "106 329"),
    refused(f"getColdDataFlowCtrInfo {BROKER}", "2003", _COLD),
    refused(
        f"updateColdDataFlowCtrGroupConfig {BROKER} -g {GROUP} -v 1024", "2001", _COLD
    ),
    refused(f"removeColdDataFlowCtrGroupConfig {BROKER} -g {GROUP}", "2002", _COLD),
    refused(f"setCommitLogReadAheadMode {BROKER} -m 0", "2004", _READ_AHEAD),
    refused(f"setCommitLogReadAheadMode {BROKER} -m 1", "2004", _READ_AHEAD),
    refused(
        f"resetMasterFlushOffset {BROKER} -o 0",
        "908",
        "the flushed offset of a master cannot be set",
    ),
    refused(f"getColdDataFlowCtrInfo {CLUSTER}", "106 2003", _COLD),
    refused(
        f"updateColdDataFlowCtrGroupConfig {CLUSTER} -g {GROUP} -v 1024",
        "106 2001",
        _COLD,
    ),
    refused(
        f"removeColdDataFlowCtrGroupConfig {CLUSTER} -g {GROUP}", "106 2002", _COLD
    ),
    refused(f"setCommitLogReadAheadMode {CLUSTER} -m 1", "106 2004", _READ_AHEAD),
)

#: Delete what was made.
DELETING = (
    same(f"deleteSubGroup {CLUSTER} -g OtherGroup", "106 207 215 216", quick=True),
    same(f"deleteSubGroup {BROKER} -g TypedGroup -r true", "207"),
    same(f"deleteSubGroup {CLUSTER} -g CloneGroup -r true", "106 207 215 216"),
    same(f"deleteTopic {CLUSTER} -t OtherTopic", "106 215 216 102", quick=True),
    same(f"deleteTopic {CLUSTER} -t NoSuchTopic", "106 215 216 102"),
    same("deleteTopic -c NoSuchCluster -t SomeTopic", "106"),
)
