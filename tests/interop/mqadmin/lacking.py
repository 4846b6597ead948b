"""What belongs to features that one of both lacks, or that are off."""

from __future__ import annotations

from .command import (
    BROKER,
    CLUSTER,
    GROUP,
    TOPIC,
    differs,
    refused,
    same,
    staged,
)

_NO_USERS = "there are no users and policies here"
_NO_CONTAINER = "this is a broker and no container of brokers"
_NO_LITE = "lite topics are not supported"

#: What belongs to features that one of both lacks, or that are off.
LACKING = (
    refused("addBroker -c {broker} -b /no/such/file", "902", _NO_CONTAINER),
    refused(
        "removeBroker -c {broker} -b DefaultCluster:{name}:0", "903", _NO_CONTAINER
    ),
    refused(
        f"updateStaticTopic {CLUSTER} -t StaticTopic -qn 2",
        "106 351 513",
        "static topics are not supported",
    ),
    refused(
        "updateStaticTopic -b {name} -t StaticTopic -qn 2",
        "106 351 513",
        "static topics are not supported",
    ),
    same("updateStaticTopic -t StaticTopic -mf {dir}/none", "", "v55"),
    same("updateStaticTopic -t StaticTopic -mf {dir}/none -fr true", "", "v55"),
    same("remappingStaticTopic -t StaticTopic -mf {dir}/none -fr true", "", "v55"),
    same("remappingStaticTopic -b {name} -t NoSuchTopic", "106 351", "v55"),
    same(f"remappingStaticTopic {CLUSTER} -t {TOPIC}", "106 351 513", "v55"),
    same(f"exportPopRecord {CLUSTER} -d true", "106 200056", "v55"),
    same(f"exportPopRecord {BROKER} -d true", "200056", "v55"),
    same(f"exportPopRecord {BROKER} -d false", "26", "v55"),
    same("exportMetadataInRocksDB -p {dir}/none -t topics -j true", "", "v55"),
    refused(
        f"rocksDBConfigToJson {CLUSTER} -t topics",
        "106 355",
        "there is no RocksDB here",
    ),
    refused(
        f"checkRocksdbCqWriteProgress {CLUSTER} -t {TOPIC}",
        "106 354",
        "there is no RocksDB here",
    ),
    refused(
        f"checkRocksdbCqWriteProgress {CLUSTER} -t {TOPIC} -cf 0",
        "106 354",
        "there is no RocksDB here",
    ),
    same("rocksDBConfigToJson -p {dir}/none -t topics", "", "v55"),
    refused(
        f"rocksDBConfigToJson {CLUSTER} -t topics -e {{out}} -j true",
        "106 355",
        "there is no RocksDB here",
    ),
    # Its tool wants a cluster.
    same(f"rocksDBConfigToJson {BROKER} -t topics", "", "v55"),
    same(f"switchTimerEngine {CLUSTER} -e F", "106 5001", "v55"),
    same(f"switchTimerEngine {BROKER} -e F", "5001", "v55"),
    refused(f"switchTimerEngine {BROKER} -e R", "5001", "there is no RocksDB here"),
    same("dumpCompactionLog -f {dir}/none", "", "v55"),
    same("getSyncStateSet -a {names} -b {name}", "1005", "v55"),
    same("getSyncStateSet -a {names} -b {name} -i 1", "1005", "v55"),
    same("getControllerMetaData -a {names}", "1005", "v55"),
    same("getControllerConfig -a {names}", "1010", "v55"),
    same("updateControllerConfig -a {names} -k some -v value", "1009", "v55"),
    same(
        "electMaster -a {names} -b 1 -bn {name} -c DefaultCluster", "1005 1002", "v55"
    ),
    same(
        "cleanBrokerMetadata -a {names} -bn {name} -b 1 -c DefaultCluster",
        "1005 1011",
        "v55",
    ),
    same(
        "cleanBrokerMetadata -a {names} -bn {name} -c DefaultCluster -l",
        "1005 1011",
        "v55",
    ),
    same(f"getSyncStateSet -a {{names}} {CLUSTER}", "106 1005", "v55"),
    differs(f"getBrokerLiteInfo {CLUSTER}", "106 200074", _NO_LITE, "v55"),
    refused(f"getBrokerLiteInfo {BROKER} -d", "200074", _NO_LITE),
    same(f"getLiteTopicInfo -p {TOPIC} -l some -s", "105 200076", "v55"),
    same(
        f"getLiteClientInfo -p {TOPIC} -g {GROUP} -c {{client}} -s",
        "105 200077",
        "v55",
    ),
    same(f"getLiteGroupInfo -p {TOPIC} -g {GROUP} -l some", "105 200078", "v55"),
    same(f"getLiteGroupInfo -p {TOPIC} -g {GROUP} -k 3", "105 200078", "v55"),
    same(
        f"triggerLiteDispatch -p {TOPIC} -g {GROUP} -c {{client}} -b {{name}}",
        "105 200079",
        "v55",
    ),
    refused(f"getBrokerLiteInfo {BROKER}", "200074", _NO_LITE),
    same(f"getParentTopicInfo -p {TOPIC}", "105 200075", "v55"),
    same(f"getLiteTopicInfo -p {TOPIC} -l some", "105 200076", "v55"),
    same(f"getLiteClientInfo -p {TOPIC} -g {GROUP} -c {{client}}", "105 200077", "v55"),
    same(f"getLiteGroupInfo -p {TOPIC} -g {GROUP}", "105 200078", "v55"),
    same(f"triggerLiteDispatch -p {TOPIC} -g {GROUP}", "105 200079", "v55"),
    *staged(
        "without access control",
        refused(f"getUser {BROKER} -u bob", "3004", _NO_USERS),
        refused(f"listAcl {BROKER}", "3010", _NO_USERS),
        refused(
            f"getAclConfig {BROKER}", "54", "there are no accounts of ACL 1.0", "v49"
        ),
        refused(f"getUser {CLUSTER} -u bob", "106 3004", _NO_USERS),
        refused(f"listUser {BROKER}", "3005", _NO_USERS),
        refused(f"createUser {BROKER} -u bob -p secret", "3001", _NO_USERS),
        refused(f"getAcl {BROKER} -s User:bob", "3009", _NO_USERS),
        refused(
            f"createAcl {BROKER} -s User:bob -r Topic:T -a Pub -d Allow",
            "3006",
            _NO_USERS,
        ),
    ),
)
