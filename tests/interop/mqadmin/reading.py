"""Show what there is; a consumer is connected, and has committed what it read."""

from __future__ import annotations

from dataclasses import replace

from .command import (
    BROKER,
    BUSY,
    CLUSTER,
    FIGURES,
    GROUP,
    NO_ROUTE,
    SETTINGS,
    TOPIC,
    differs,
    more,
    same,
)

_ROCKSDB = "no topics of transactions in RocksDB"
_FEATURES = "the topics of features of 5.x are there"

#: Brokers, topics, and who is connected.
READING = (
    same("clusterList", "106 28", quick=True),
    same("clusterList -m", "106 28", quick=True),
    same(f"clusterList {CLUSTER}", "106 28", "v55"),
    more(f"brokerStatus {BROKER}", "28", FIGURES),
    more(f"brokerStatus {CLUSTER}", "106 28", FIGURES),
    differs("topicList", "206", _ROCKSDB, "v55"),
    more("topicList", "206", _FEATURES, "v49"),
    differs("topicList -c", "206 105 300 106", _ROCKSDB, "v55"),
    more("topicList -c", "206 105 300 106", _FEATURES, "v49"),
    same(f"topicRoute -t {TOPIC}", "105", quick=True),
    same(f"topicRoute -t {TOPIC} -l", "105"),
    more("topicRoute -t NoSuchTopic", "105", NO_ROUTE),
    same(f"topicStatus -t {TOPIC}", "105 351 202", quick=True),
    same(f"topicStatus -t {TOPIC} {CLUSTER}", "105 351 202", "v55"),
    more("topicStatus -t NoSuchTopic", "105", NO_ROUTE),
    same(f"topicClusterList -t {TOPIC}", "106 105"),
    same(f"statsAll -t {TOPIC}", "206 105 300 351 208 315", quick=True),
    same("statsAll -a", "206 105 300 351 208 315"),
    differs("statsAll", "206 105 300 351 208 315", _ROCKSDB, "v55"),
    more("statsAll", "206 105 300 351 208 315", _FEATURES, "v49"),
    same(f"allocateMQ -t {TOPIC} -i 10.0.0.1,10.0.0.2", "105"),
    same(f"consumerProgress -g {GROUP}", "105 208 203", quick=True),
    same(f"consumerProgress -g {GROUP} -s true", "105 208 203 307", quick=True),
    same(f"consumerProgress -g {GROUP} -t {TOPIC}", "105 208 203", "v55"),
    same(f"consumerProgress -g {GROUP} {CLUSTER}", "105 208 203", "v55"),
    more("consumerProgress -g NoSuchGroup", "105", NO_ROUTE),
    same("consumerProgress", "206 208 203", quick=True),
    same(f"consumerConnection -g {GROUP}", "105 203", quick=True),
    same(f"consumerConnection -g {GROUP} {BROKER}", "203"),
    same("consumerConnection -g OtherGroup -b {broker}", "203"),
    same(f"consumerStatus -g {GROUP}", "203 307", quick=True),
    same(f"consumerStatus -g {GROUP} {BROKER}", "203 307"),
    same(f"consumerStatus -g {GROUP} -s", "203 307"),
    same(f"consumerStatus -g {GROUP} -i {{client}}", "203 307"),
    same(f"consumerStatus -g {GROUP} -i {{client}} -s", "203 307"),
    same(f"producerConnection -g {{producers}} -t {BUSY}", "105 204", quick=True),
    same(f"producerConnection -g NoSuchGroup -t {TOPIC}", "105 204"),
    same("producer -b {broker}", "328", quick=True),
    same(f"brokerConsumeStats {BROKER}", "317", quick=True),
    same(f"brokerConsumeStats {BROKER} -o true", "317"),
    same(f"brokerConsumeStats {BROKER} -t 20000 -l 1000", "317"),
    differs(f"getBrokerConfig {BROKER}", "26", SETTINGS),
    differs(f"getBrokerConfig {CLUSTER}", "106 26", SETTINGS),
    same(f"getConsumerConfig -g {GROUP}", "106 201", quick=True),
    same("getConsumerConfig -g NoSuchGroup", "106 201"),
    differs("getNamesrvConfig", "319", SETTINGS),
    same(f"queryCq {BROKER} -t {TOPIC} -q 0 -i 0", "321", quick=True),
    same(f"queryCq {BROKER} -t {TOPIC} -q 0 -i 0 -c 1", "321"),
    same(f"queryCq {BROKER} -t {TOPIC} -q 0 -i 0 -g {GROUP}", "321"),
    differs(
        f"queryCq {BROKER} -t {TOPIC} -q 0 -i 99",
        "321",
        "Apache's sends no body, and the tool fails",
    ),
    same(f"queryCq {BROKER} -t {TOPIC} -q 99 -i 0", "321"),
    same(f"haStatus {BROKER}", "907", "v55", quick=True),
    same(f"haStatus {CLUSTER}", "106 907", "v55"),
    same(f"getBrokerEpoch {CLUSTER}", "106 1007", "v55", quick=True),
    same("getBrokerEpoch -b {name}", "106 1007", "v55"),
    same("getBrokerEpoch -b {name} -i 1", "106 1007", "v55"),
    same(f"exportMetadata {CLUSTER} -f {{out}}", "106 21 305 201"),
    same(f"exportMetadata {BROKER} -t -f {{out}}", "21 305"),
    same(f"exportMetadata {BROKER} -t -s -f {{out}}", "21 305"),
    same(f"exportMetadata {BROKER} -g -f {{out}}", "201"),
    same(f"exportConfigs {CLUSTER} -f {{out}}", "106 26"),
    same(f"exportMetrics {CLUSTER} -f {{out}}", "106 28 26 21 305 201 203 315"),
)

_ROWS = r"(?s)broker-a.*broker-a"
#: Commands that print for ever; they come last, as some of them send messages.
RUNNING_ON = tuple(
    replace(command, until=until)
    for command, until in (
        (same("clusterList -i 1", "106 28"), _ROWS),
        (same(f"haStatus {BROKER} -i 1", "907", "v55"), r"(?s)SlaveNum.*SlaveNum"),
        (same("clusterRT -a 2 -s 8 -i 1", "106 310"), _ROWS),
        (same(f"clusterRT {CLUSTER} -a 2 -s 8 -i 1 -p true -m room", "106 310"), _ROWS),
        (same("startMonitoring", "206 208 203 307"), ""),
    )
)
