"""
The script of ``mqadmin`` commands that Apache's servers and ours are given alike.

Every subcommand of both releases is in it. Words in braces are known only when the
servers run; ``{dir}`` is a directory with the files that some commands read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Expected(Enum):
    """How what a command prints on our servers compares with Apache's."""

    #: But for numbers, times, addresses and ids, and the order of lines.
    SAME = "same"
    #: Something else, for a reason.
    DIFFERS = "differs"
    #: Here it is answered with a code and a sentence, as the feature does not exist.
    REFUSED = "refused"


@dataclass(frozen=True)
class Command:
    """
    A command.

    :ivar text: what stands behind ``mqadmin``.
    :ivar codes: the requests that it sends, in order.
    :ivar only: the release that has it, or that has it in these words; both if empty.
    :ivar why: why it differs, or the sentence of the refusal.
    :ivar runs_on: whether it prints for ever; then what it printed first counts.
    :ivar quick: whether it is in the part that is run each time.
    :ivar paired: whether the broker has a slave then.
    """

    text: str
    codes: str
    only: str = ""
    expected: Expected = Expected.SAME
    why: str = ""
    runs_on: bool = False
    quick: bool = False
    paired: bool = False

    @property
    def name(self) -> str:
        """The subcommand."""
        return self.text.split()[0]


TOPIC, GROUP = "TableTopic", "TableGroup"
#: What a producer and a consumer use, whose messages are in queues by chance.
BUSY = "BusyTopic"
_NO_ROUTE = "the remark says that no broker is alive, and has no link to a page"
_WORDS = "the remark names the field, and what it may be"
_NO_USERS = "there are no users and policies here"
_NO_CONTAINER = "this is a broker and no container of brokers"
_NO_LITE = "lite topics are not supported"
_COLD = "there is no flow control of cold reads here"
_READ_AHEAD = "the operating system decides what is read ahead"
_FIGURES = "sizes and counters of ours are shown, too"
_SLAVE = "a slave has the topics and groups of its master, so it refuses others"
_C = "-c DefaultCluster"
_B = "-b {broker}"
_S = "-b {slave}"


def _same(text: str, codes: str, only: str = "", quick: bool = False) -> Command:
    return Command(text, codes, only, quick=quick)


def _differs(text: str, codes: str, why: str, only: str = "") -> Command:
    return Command(text, codes, only, Expected.DIFFERS, why)


def _refused(text: str, codes: str, why: str, only: str = "v55") -> Command:
    return Command(text, codes, only, Expected.REFUSED, why)


#: Make what the others show.
MAKING = (
    _same(f"updateTopic {_C} -t {TOPIC} -r 4 -w 4", "106 17", quick=True),
    _same(f"updateTopic {_B} -t OtherTopic -r 1 -w 1", "17", quick=True),
    _same(f"updateTopic {_C} -t OrderTopic -r 2 -w 2 -o true", "106 17 101 100"),
    _same(f"updateTopic {_B} -t TypedTopic -a +message.type=FIFO", "17", "v55"),
    _differs(f"updateTopic {_B} -t BadTopic -a +no.such=1", "17", _WORDS, "v55"),
    _differs(f"updateTopic {_B} -t bad/topic", "17", "the remark has other words"),
    _same(f"updateTopicList {_B} -f {{dir}}/topics.json", "18", "v55", quick=True),
    _same(f"updateTopicList {_C} -f {{dir}}/topics.json", "106 18", "v55"),
    _same(f"updateSubGroup {_C} -g {GROUP}", "106 200", quick=True),
    _same(f"updateSubGroup {_B} -g OtherGroup -m true -d true", "200"),
    _differs(
        f"updateSubGroup {_B} -g TypedGroup --attributes +no.such=1",
        "200",
        _WORDS,
        "v55",
    ),
    _same(f"updateSubGroupList {_B} -f {{dir}}/groups.json", "225", "v55"),
    _same(f"setConsumeMode {_B} -t {TOPIC} -g PopGroup -m POP -q 2", "401", "v55"),
    _same(f"setConsumeMode {_C} -t %RETRY%x -g PopGroup -m POP", "401", "v55"),
    _same(f"updateTopic {_C} -t {BUSY} -r 4 -w 4", "106 17", quick=True),
    _same(f"updateSubGroup {_C} -g CloneGroup", "106 200"),
    _same(
        f"sendMessage -t {TOPIC} -p hello -k KeyA -c TagA -b {{name}} -i 0",
        "105 310",
        quick=True,
    ),
    _same(
        f"sendMessage -t {TOPIC} -p hello -b {{name}} -i 1 -m true", "105 310", "v55"
    ),
    _same(f"sendMessage -t {TOPIC} -p hello -b {{name}} -i 1", "105 310", "v49"),
)

#: Show what there is; a consumer is connected, and has committed what it read.
READING = (
    _same("clusterList", "106 28", quick=True),
    _same("clusterList -m", "106 28", quick=True),
    _same(f"clusterList {_C}", "106 28", "v55"),
    _differs(f"brokerStatus {_B}", "28", _FIGURES),
    _differs("topicList", "206", "no topics of transactions in RocksDB", "v55"),
    _differs("topicList", "206", "the topics of features of 5.x are there", "v49"),
    _differs("topicList -c", "206 105 300 106", "the same", "v55"),
    _differs("topicList -c", "206 105 300 106", "the same", "v49"),
    _same(f"topicRoute -t {TOPIC}", "105", quick=True),
    _same(f"topicRoute -t {TOPIC} -l", "105", "v55"),
    _differs("topicRoute -t NoSuchTopic", "105", _NO_ROUTE),
    _same(f"topicStatus -t {TOPIC}", "105 351 202", quick=True),
    _same(f"topicClusterList -t {TOPIC}", "106 105"),
    _same(f"statsAll -t {TOPIC}", "206 105 300 351 208 315", quick=True),
    _same("statsAll -a", "206 105 300 351 208 315"),
    _same(f"allocateMQ -t {TOPIC} -i 10.0.0.1,10.0.0.2", "105"),
    _same(f"consumerProgress -g {GROUP}", "105 208 203", quick=True),
    _same(f"consumerProgress -g {GROUP} -s true", "105 208 203 307", quick=True),
    _same(f"consumerProgress -g {GROUP} -t {TOPIC}", "105 208 203", "v55"),
    _differs("consumerProgress -g NoSuchGroup", "105", _NO_ROUTE),
    _same("consumerProgress", "206 208 203", quick=True),
    _same(f"consumerConnection -g {GROUP}", "105 203", quick=True),
    _same(f"consumerConnection -g {GROUP} {_B}", "203"),
    _same("consumerConnection -g OtherGroup -b {broker}", "203"),
    _same(f"consumerStatus -g {GROUP}", "203 307", quick=True),
    _same(f"consumerStatus -g {GROUP} -i {{client}}", "203 307"),
    _same(f"producerConnection -g {{producers}} -t {BUSY}", "105 204", quick=True),
    _same(f"producerConnection -g NoSuchGroup -t {TOPIC}", "105 204"),
    _same("producer -b {broker}", "328", quick=True),
    _same(f"brokerConsumeStats {_B}", "317", quick=True),
    _same(f"brokerConsumeStats {_B} -o true", "317"),
    _differs(f"getBrokerConfig {_B}", "26", "settings that only one of both has"),
    _same(f"getConsumerConfig -g {GROUP}", "106 201", quick=True),
    _differs("getNamesrvConfig", "319", "settings that only one of both has"),
    _same("queryMsgById -i {offsetId} -t " + TOPIC, "33 300 203 208", "v55", True),
    _same("queryMsgById -i {offsetId}", "33 300 203 208", "v49"),
    _same(
        f"queryMsgById -i {{offsetId}} -t {TOPIC} -g {GROUP} -d {{client}}",
        "12 309",
        "v55",
    ),
    _same(f"queryMsgByKey -t {TOPIC} -k KeyA", "105 12", quick=True),
    _same(f"queryMsgByKey -t {TOPIC} -k NoSuchKey", "105 12"),
    _same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}}", "12 300 203 208"),
    _same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}} -a", "12", "v55"),
    _same(f"queryMsgByOffset -t {TOPIC} -b {{name}} -i 0 -o 0", "105 11 300 203 208"),
    _same("queryMsgTraceById -i {tracedId}", "105 12"),
    _same(f"printMsg -t {TOPIC}", "105 31 30 11"),
    _same(f"printMsg -t {TOPIC} -s TagA -d false", "105 31 30 11"),
    _same(f"printMsgByQueue -t {TOPIC} -a {{name}} -i 0 -p true", "105 31 30 11"),
    _same(f"consumeMessage -t {TOPIC} -c 2", "105 31 30 11"),
    _same(f"consumeMessage -t {TOPIC} -b {{name}} -i 0 -o 0 -c 1", "105 11"),
    _same(f"queryCq {_B} -t {TOPIC} -q 0 -i 0", "321", quick=True),
    _same(f"queryCq {_B} -t {TOPIC} -q 0 -i 0 -g {GROUP}", "321"),
    _same(f"queryCq {_B} -t {TOPIC} -q 99 -i 0", "321"),
    _same(f"haStatus {_B}", "907", "v55", quick=True),
    _same(f"haStatus {_C}", "106 907", "v55"),
    _same(f"getBrokerEpoch {_C}", "106 1007", "v55", quick=True),
    _same("getBrokerEpoch -b {name}", "106 1007", "v55"),
    _same(f"exportMetadata {_C} -f {{out}}", "106 21 305 201"),
    _same(f"exportMetadata {_B} -t -f {{out}}", "21 305"),
    _same(f"exportMetadata {_B} -g -f {{out}}", "201"),
    _same(f"exportConfigs {_C} -f {{out}}", "106 26"),
    _same(f"exportMetrics {_C} -f {{out}}", "106 28 26 21 305 201 203 315"),
    _same("sendMsgStatus -b {name} -c 2 -s 8", "105 310"),
    _same(f"checkMsgSendRT -t {TOPIC} -a 2 -s 8", "105 310"),
    # The copy goes to a queue by chance.
    _same("queryMsgById -i {offsetId} -t " + TOPIC + " -s true", "33 310", "v55"),
    Command("clusterRT -a 2 -s 8 -i 1", "106 310", runs_on=True),
    Command("startMonitoring", "206 208 203 307", runs_on=True),
)

#: Change something.
CHANGING = (
    _same(f"updateTopicPerm {_B} -t OtherTopic -p 4", "105 17", quick=True),
    _same(f"updateTopicPerm {_C} -t OtherTopic -p 6", "106 105 17"),
    _same(f"updateTopicPerm {_C} -t OtherTopic -p 6", "106 105"),
    _differs(f"updateTopicPerm {_C} -t NoSuchTopic -p 6", "105", _NO_ROUTE),
    _same("updateOrderConf -t OrderTopic -m get", "101"),
    _same("updateOrderConf -t OrderTopic -m put -v {name}:2", "101 100"),
    _same("updateOrderConf -t OrderTopic -m delete", "102"),
    _same("updateKvConfig -s space -k key -v value", "100", quick=True),
    _same("deleteKvConfig -s space -k key", "102", quick=True),
    _same("updateNamesrvConfig -k enableTopicList -v true", "318", "v55"),
    _differs(
        "updateNamesrvConfig -k clusterTest -v false",
        "318",
        "only some settings change while it runs: clusterTest cannot be changed",
    ),
    _same(f"updateBrokerConfig {_B} -k fileReservedTime -v 48", "25", quick=True),
    _same(f"updateBrokerConfig {_C} -k autoCreateTopicEnable -v true", "106 25"),
    _differs(
        f"updateBrokerConfig {_B} -k maxMessageSize -v 1000000",
        "25",
        "only some settings change while it runs; the remark names them",
    ),
    # The tool compares with the route, in which the topic may only be read then.
    _same(f"updateBrokerConfig {_B} -k brokerPermission -v 4", "25", quick=True),
    _same(f"updateTopicPerm {_C} -t OtherTopic -p 4", "106 105", quick=True),
    _same(f"updateBrokerConfig {_B} -k brokerPermission -v 6", "25", quick=True),
    _same("wipeWritePerm -b {name}", "205", quick=True),
    _same("addWritePerm -b {name}", "327", quick=True),
    _same("wipeWritePerm -b NoSuchBroker", "205"),
    _same(
        f"cloneGroupOffset -s {GROUP} -d CloneGroup -t {TOPIC} -o true", "105 208 15"
    ),
    _same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now", "105 222", quick=True),
    _same(f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s -1", "105 222", "v55"),
    _same(
        f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now {_B} -q 0 -o 1",
        "29 15 222",
        "v55",
    ),
    _differs(f"resetOffsetByTime -g {GROUP} -t NoSuchTopic -s now", "105", _NO_ROUTE),
    _same(f"skipAccumulatedMessage -g {GROUP} -t {TOPIC}", "105 222", quick=True),
    _same(f"cleanExpiredCQ {_B}", "306", quick=True),
    _same(f"cleanExpiredCQ {_C}", "106 306"),
    _same(f"cleanUnusedTopic {_B}", "316", quick=True),
    _same(f"cleanUnusedTopic {_C}", "106 316"),
    _same(f"deleteExpiredCommitLog {_B}", "329", quick=True),
    _same(f"deleteExpiredCommitLog {_C}", "106 329"),
    _refused(f"getColdDataFlowCtrInfo {_B}", "2003", _COLD),
    _refused(
        f"updateColdDataFlowCtrGroupConfig {_B} -g {GROUP} -v 1024", "2001", _COLD
    ),
    _refused(f"removeColdDataFlowCtrGroupConfig {_B} -g {GROUP}", "2002", _COLD),
    _refused(f"setCommitLogReadAheadMode {_B} -m 0", "2004", _READ_AHEAD),
    _refused(f"setCommitLogReadAheadMode {_B} -m 1", "2004", _READ_AHEAD),
    _refused(
        f"resetMasterFlushOffset {_B} -o 0",
        "908",
        "the flushed offset of a master cannot be set",
    ),
)

#: What belongs to features that one of both lacks, or that are off.
LACKING = (
    _refused("addBroker -c {broker} -b /no/such/file", "902", _NO_CONTAINER),
    _refused(
        "removeBroker -c {broker} -b DefaultCluster:{name}:0", "903", _NO_CONTAINER
    ),
    _refused(
        f"updateStaticTopic {_C} -t StaticTopic -qn 2",
        "106 351 513",
        "static topics are not supported",
    ),
    _same(f"remappingStaticTopic {_C} -t {TOPIC}", "106 351 513", "v55"),
    _same(f"exportPopRecord {_B} -d true", "200056", "v55"),
    _same(f"exportPopRecord {_B} -d false", "26", "v55"),
    _same("exportMetadataInRocksDB -p {dir}/none -t topics -j true", "", "v55"),
    _refused(
        f"rocksDBConfigToJson {_C} -t topics", "106 355", "there is no RocksDB here"
    ),
    _refused(
        f"checkRocksdbCqWriteProgress {_C} -t {TOPIC}",
        "106 354",
        "there is no RocksDB here",
    ),
    _same(f"switchTimerEngine {_B} -e F", "5001", "v55"),
    _refused(f"switchTimerEngine {_B} -e R", "5001", "there is no RocksDB here"),
    _same("dumpCompactionLog -f {dir}/none", "", "v55"),
    _same("getSyncStateSet -a {names} -b {name}", "1005", "v55"),
    _same("getControllerMetaData -a {names}", "1005", "v55"),
    _same("getControllerConfig -a {names}", "1010", "v55"),
    _same("updateControllerConfig -a {names} -k some -v value", "1009", "v55"),
    _same(
        "electMaster -a {names} -b 1 -bn {name} -c DefaultCluster", "1005 1002", "v55"
    ),
    _same(
        "cleanBrokerMetadata -a {names} -bn {name} -b 1 -c DefaultCluster",
        "1005 1011",
        "v55",
    ),
    _refused(f"getBrokerLiteInfo {_B}", "200074", _NO_LITE),
    _same(f"getParentTopicInfo -p {TOPIC}", "105 200075", "v55"),
    _same(f"getLiteTopicInfo -p {TOPIC} -l some", "105 200076", "v55"),
    _same(
        f"getLiteClientInfo -p {TOPIC} -g {GROUP} -c {{client}}", "105 200077", "v55"
    ),
    _same(f"getLiteGroupInfo -p {TOPIC} -g {GROUP}", "105 200078", "v55"),
    _same(f"triggerLiteDispatch -p {TOPIC} -g {GROUP}", "105 200079", "v55"),
    _refused(f"getUser {_B} -u bob", "3004", _NO_USERS),
    _refused(f"listAcl {_B}", "3010", _NO_USERS),
    _refused(f"getAclConfig {_B}", "54", "there are no accounts of ACL 1.0", "v49"),
)

#: What a slave shows, and refuses, and what clusters with one do.
PAIRED = tuple(
    replace(command, paired=True)
    for command in (
        _same("clusterList", "106 28"),
        _same("clusterList -m", "106 28"),
        _differs(f"brokerStatus {_S}", "28", _FIGURES),
        _differs(f"getBrokerConfig {_S}", "26", "settings that only one of both has"),
        _same(f"haStatus {_B}", "907", "v55"),
        _same(f"haStatus {_S}", "907", "v55"),
        _same(f"haStatus {_C}", "106 907", "v55"),
        _same(f"getBrokerEpoch {_C}", "106 1007", "v55"),
        _same(f"topicRoute -t {TOPIC}", "105"),
        _same(f"topicStatus -t {TOPIC}", "105 351 202"),
        _same(f"statsAll -t {TOPIC}", "206 105 300 351 208 315"),
        _same(f"consumerProgress -g {GROUP}", "105 208 203"),
        _same("consumerProgress", "206 208 203"),
        _same(f"consumerConnection -g {GROUP} {_S}", "203"),
        _same(f"producer {_S}", "328"),
        _same(f"brokerConsumeStats {_S}", "317"),
        _same(f"queryCq {_S} -t {TOPIC} -q 0 -i 0", "321"),
        _same(f"queryMsgByKey -t {TOPIC} -k KeyA", "105 12"),
        _same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}}", "12 300 203 208"),
        _same(f"exportMetadata {_S} -t -f {{out}}", "21 305"),
        _same(f"exportMetadata {_S} -g -f {{out}}", "201"),
        _same(f"exportConfigs {_C} -f {{out}}", "106 26"),
        _same(f"updateTopic {_S} -t SlaveTopic -r 1 -w 1", "17", "v49"),
        _differs(f"updateTopic {_S} -t SlaveTopic -r 1 -w 1", "17", _SLAVE, "v55"),
        _same(f"updateSubGroup {_S} -g SlaveGroup", "200", "v49"),
        _differs(f"updateSubGroup {_S} -g SlaveGroup", "200", _SLAVE, "v55"),
        _same(f"deleteSubGroup {_S} -g {GROUP}", "207", "v49"),
        _differs(f"deleteSubGroup {_S} -g {GROUP}", "207", _SLAVE, "v55"),
        _same(f"updateBrokerConfig {_S} -k fileReservedTime -v 48", "25"),
        _same(f"cleanExpiredCQ {_C}", "106 306"),
        _same(f"cleanUnusedTopic {_C}", "106 316"),
        _same(f"deleteExpiredCommitLog {_C}", "106 329"),
        _differs(
            f"resetOffsetByTime -g {GROUP} -t {TOPIC} -s now {_S} -q 0 -o 1",
            "29 15 222",
            "the remark says why, too",
            "v55",
        ),
    )
)

#: Users and policies, on a broker with access control.
ACCESS = (
    _same(f"createUser {_B} -u bob -p secret", "3001", "v55"),
    _same(f"updateUser {_B} -u bob -s disable", "3002", "v55"),
    _differs(f"getUser {_B} -u bob", "3004", "passwords are not shown", "v55"),
    _differs(f"listUser {_B}", "3005", "passwords are not shown", "v55"),
    _same("copyUser -f {broker} -t {broker}", "3005 3001", "v55"),
    _same(f"createAcl {_B} -s User:bob -r Topic:T -a Pub -d Allow", "3006", "v55"),
    _same(f"updateAcl {_B} -s User:bob -r Topic:T -a Sub -d Allow", "3007", "v55"),
    _same(f"getAcl {_B} -s User:bob", "3009", "v55"),
    _same(f"listAcl {_B}", "3010", "v55"),
    _same("copyAcl -f {broker} -t {broker}", "3010 3006", "v55"),
    _same(f"deleteAcl {_B} -s User:bob", "3008", "v55"),
    _same(f"deleteUser {_B} -u bob", "3003", "v55"),
)

#: Accounts of ACL 1.0, on a broker with them.
ACCOUNTS = (
    _same(f"updateAclConfig {_B} -a SomeKey1 -s SomeSecret1", "50", "v49"),
    _differs(f"getAclConfig {_B}", "54", "secrets are not shown", "v49"),
    _same(f"clusterAclConfigVersion {_B}", "52", "v49"),
    _differs(
        f"updateGlobalWhiteAddr {_B} -g 10.10.10.*",
        "53",
        "the file is the one that aclFile names, wherever that is",
        "v49",
    ),
    _same(f"deleteAclConfig {_B} -a SomeKey1", "51", "v49"),
)

#: Delete what was made.
DELETING = (
    _same(f"deleteSubGroup {_C} -g OtherGroup", "106 207 215 216", quick=True),
    _same(f"deleteSubGroup {_B} -g TypedGroup -r true", "207"),
    _same(f"deleteSubGroup {_C} -g CloneGroup -r true", "106 207 215 216"),
    _same(f"deleteTopic {_C} -t OtherTopic", "106 215 216 102", quick=True),
    _same(f"deleteTopic {_C} -t NoSuchTopic", "106 215 216 102"),
)

SCRIPT = (
    *MAKING,
    *READING,
    *CHANGING,
    *LACKING,
    *DELETING,
    *PAIRED,
    *ACCESS,
    *ACCOUNTS,
)
