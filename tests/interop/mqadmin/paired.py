"""What a slave shows, and refuses, and what clusters with one do."""

from __future__ import annotations

from .command import (
    BROKER,
    CLUSTER,
    FIGURES,
    GROUP,
    SETTINGS,
    SLAVE,
    TOPIC,
    differs,
    more,
    same,
    staged,
)

_SLAVE = "a slave has the topics and groups of its master, so it refuses others"

#: What a slave shows, and refuses, and what clusters with one do.
PAIRED = staged(
    "where there is a slave",
    same("clusterList", "106 28"),
    same("clusterList -m", "106 28"),
    more(f"brokerStatus {SLAVE}", "28", FIGURES),
    differs(f"getBrokerConfig {SLAVE}", "26", SETTINGS),
    same(f"haStatus {BROKER}", "907", "v55"),
    same(f"haStatus {SLAVE}", "907", "v55"),
    same(f"haStatus {CLUSTER}", "106 907", "v55"),
    same(f"getBrokerEpoch {CLUSTER}", "106 1007", "v55"),
    same(f"topicRoute -t {TOPIC}", "105"),
    same(f"topicStatus -t {TOPIC}", "105 351 202"),
    same(f"statsAll -t {TOPIC}", "206 105 300 351 208 315"),
    same(f"consumerProgress -g {GROUP}", "105 208 203"),
    same("consumerProgress", "206 208 203"),
    same(f"consumerConnection -g {GROUP} {SLAVE}", "203"),
    same(f"producer {SLAVE}", "328"),
    same(f"brokerConsumeStats {SLAVE}", "317"),
    same(f"queryCq {SLAVE} -t {TOPIC} -q 0 -i 0", "321"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA", "105 12"),
    same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}}", "12 300 203 208"),
    same(f"exportMetadata {SLAVE} -t -f {{out}}", "21 305"),
    same(f"exportMetadata {SLAVE} -g -f {{out}}", "201"),
    same(f"exportConfigs {CLUSTER} -f {{out}}", "106 26"),
    same(f"updateTopic {SLAVE} -t SlaveTopic -r 1 -w 1", "17", "v49"),
    differs(f"updateTopic {SLAVE} -t SlaveTopic -r 1 -w 1", "17", _SLAVE, "v55"),
    same(f"updateSubGroup {SLAVE} -g SlaveGroup", "200", "v49"),
    differs(f"updateSubGroup {SLAVE} -g SlaveGroup", "200", _SLAVE, "v55"),
    same(f"deleteSubGroup {SLAVE} -g {GROUP}", "207", "v49"),
    differs(f"deleteSubGroup {SLAVE} -g {GROUP}", "207", _SLAVE, "v55"),
    same(f"updateBrokerConfig {SLAVE} -k fileReservedTime -v 48", "25"),
    same(f"cleanExpiredCQ {CLUSTER}", "106 306"),
    same(f"cleanUnusedTopic {CLUSTER}", "106 316"),
    same(f"deleteExpiredCommitLog {CLUSTER}", "106 329"),
    more(
        f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now {SLAVE} -q 0 -o 1",
        "29 15 222",
        "the remark says why, too",
        "v55",
    ),
)
