"""What the declarations of requests do not say."""

from __future__ import annotations

from typing import Final

import msgspec

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.route import TopicRoute
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.bodies.accounts import AclConfig
from rocketmq_tw.wire.bodies.cluster import ClusterInfo, GetBrokerMemberGroupBody
from rocketmq_tw.wire.bodies.consumers import (
    ConsumerConnection,
    ConsumerIdList,
    ProducerConnection,
    ProducerTableInfo,
)
from rocketmq_tw.wire.bodies.dataversion import DataVersion
from rocketmq_tw.wire.bodies.groups import (
    DeletedGroups,
    GroupForbidden,
    GroupList,
    QuerySubscriptionResponseBody,
    SubscriptionGroupList,
    SubscriptionGroupTable,
)
from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody, HeartbeatData
from rocketmq_tw.wire.bodies.kvtable import KVTable
from rocketmq_tw.wire.bodies.locks import (
    LockBatchRequestBody,
    LockBatchResponseBody,
    UnlockBatchRequestBody,
)
from rocketmq_tw.wire.bodies.offsets import (
    ConsumerOffsetTable,
    DelayOffsetTable,
    GetConsumerStatusBody,
    QueryCorrectionOffsetBody,
    ResetOffsetBody,
)
from rocketmq_tw.wire.bodies.other_tables import TimerMetricsTable
from rocketmq_tw.wire.bodies.pop import (
    BatchAckMessageRequestBody,
    MessageRequestModeTable,
    QueryAssignmentRequestBody,
    QueryAssignmentResponseBody,
    SetMessageRequestModeRequestBody,
)
from rocketmq_tw.wire.bodies.registration import RegisterBrokerBody
from rocketmq_tw.wire.bodies.replication import HARuntimeInfo
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumerRunningInfo,
)
from rocketmq_tw.wire.bodies.stats import (
    BrokerStatsData,
    ConsumeStats,
    ConsumeStatsList,
    QueryConsumeQueueResponseBody,
    QueryConsumeTimeSpanBody,
    TopicStatsTable,
)
from rocketmq_tw.wire.bodies.topics import (
    TopicConfigAndMappingTable,
    TopicConfigList,
    TopicList,
)
from rocketmq_tw.wire.codes import RequestCode as Code
from rocketmq_tw.wire.codes import ResponseCode

NAME_SERVER: Final = "name server"
BROKER: Final = "broker"
CLIENT: Final = "client"

#: A JSON body by its type, any other in words; None for an empty one.
Body = type[msgspec.Struct] | str | None

_USER = '``{"username", "password", "userType", "userStatus"}``'
_ACL = "what a user may do, as in :doc:`access`"
_PROPERTIES = "``.properties`` text: a ``name=value`` line for each setting"
_MESSAGE = "the message's body, compressed if ``sysFlag`` says so"
_REPLY = (
    "Pushed to the producer whose client id is in ``REPLY_TO_CLIENT``, then stored; the"
    " response comes when that client has confirmed it. The code is 1 if it has not,"
    " also where the reply is stored; the message id is ``0`` where it is not."
)
_RECORDS = "records as in :doc:`commit-log`, back to back"


class Facts(msgspec.Struct, frozen=True):
    """
    What is to be known of one request.

    :ivar to: who is asked.
    :ivar notes: errors that matter, rules, and traps; may be empty.
    """

    to: str
    request: Body = None
    response: Body = None
    notes: str = ""


#: Of every declared request; a test compares the two.
FACTS: Final[dict[Code, Facts]] = {
    Code.SEND_MESSAGE: Facts(BROKER, _MESSAGE),
    Code.SEND_MESSAGE_V2: Facts(
        BROKER, _MESSAGE, notes="``m`` is ``true`` where the body is a batch."
    ),
    Code.SEND_BATCH_MESSAGE: Facts(
        BROKER, "a row of messages, see :ref:`batch`; stored as a whole or not at all"
    ),
    Code.SEND_REPLY_MESSAGE: Facts(BROKER, _MESSAGE, notes=_REPLY),
    Code.SEND_REPLY_MESSAGE_V2: Facts(BROKER, _MESSAGE, notes=_REPLY),
    Code.PUSH_REPLY_MESSAGE_TO_CLIENT: Facts(
        CLIENT,
        _MESSAGE,
        notes="The client looks for the request by ``CORRELATION_ID``, and confirms"
        " also a reply that nobody waits for. It has 10 s.",
    ),
    Code.RECALL_MESSAGE: Facts(
        BROKER,
        notes="Code 604 for a handle that is none, of another topic or broker, or of a"
        " time that is over; 17 for an unknown topic. Nobody looks whether the message"
        " still waits: see :doc:`timer`.",
    ),
    Code.CONSUMER_SEND_MSG_BACK: Facts(
        BROKER,
        notes="``offset`` is the commit log offset of the message as it was delivered."
        " A ``delayLevel`` of 0 lets the broker choose (3 plus the times it was"
        " delivered before), one below 0 makes a dead letter of the message."
        " ``originTopic`` has to be the topic of the message; else the code is 16.",
    ),
    Code.END_TRANSACTION: Facts(
        BROKER,
        notes="Sent one way by most clients; see :doc:`transactions`. No response where"
        " ``commitOrRollback`` is 0.",
    ),
    Code.CHECK_TRANSACTION_STATE: Facts(
        CLIENT,
        "the record of the half message as in :doc:`commit-log`, with the topic and"
        " queue that it is meant for",
        notes="Sent one way; the client sends END_TRANSACTION.",
    ),
    Code.PULL_MESSAGE: Facts(
        BROKER, None, _RECORDS, "See :doc:`client` for ``sysFlag`` and the codes."
    ),
    Code.LITE_PULL_MESSAGE: Facts(BROKER, None, _RECORDS),
    Code.POP_MESSAGE: Facts(
        BROKER,
        None,
        _RECORDS,
        "Code 209 where too many wait, 210 where nothing came in time. See :doc:`pop`.",
    ),
    Code.ACK_MESSAGE: Facts(
        BROKER,
        notes="Code 0 also where the message is not in flight; the remark says so."
        " Code 208 where the queue has no such offset, 13 where there is no such"
        " queue.",
    ),
    Code.BATCH_ACK_MESSAGE: Facts(
        BROKER, BatchAckMessageRequestBody, notes="Code 208 for an empty list."
    ),
    Code.CHANGE_MESSAGE_INVISIBLETIME: Facts(
        BROKER,
        notes="Three zeros and a remark where the message is not in flight.",
    ),
    Code.PEEK_MESSAGE: Facts(
        BROKER,
        None,
        _RECORDS,
        "Code 19 where there are none; 32 messages at most. Those of retry topics come"
        " as they are stored.",
    ),
    Code.POP_ROLLBACK: Facts(BROKER, notes="Code 0; there is nothing to be done."),
    Code.NOTIFICATION: Facts(BROKER),
    Code.POLLING_INFO: Facts(BROKER),
    Code.QUERY_ASSIGNMENT: Facts(
        BROKER, QueryAssignmentRequestBody, QueryAssignmentResponseBody
    ),
    Code.SET_MESSAGE_REQUEST_MODE: Facts(
        BROKER,
        SetMessageRequestModeRequestBody,
        notes="Code 16 for a retry topic, 17 and 26 for an unknown topic or group.",
    ),
    Code.QUERY_MESSAGE: Facts(BROKER, None, _RECORDS),
    Code.VIEW_MESSAGE_BY_ID: Facts(
        BROKER,
        None,
        "one record as in :doc:`commit-log`",
        "A ``topic`` has to be that of the message; else the code is 16.",
    ),
    Code.QUERY_CONSUMER_OFFSET: Facts(
        BROKER,
        notes="Where the group has stored no offset, the response is 0 while the queue"
        " still has its first message and is small; else 22, and the client begins"
        " where it wants. ``setZeroIfNotFound`` = ``false`` asks for 22 always.",
    ),
    Code.UPDATE_CONSUMER_OFFSET: Facts(
        BROKER,
        notes="Clients send it one-way, apart from the last one before they stop.",
    ),
    Code.SEARCH_OFFSET_BY_TIMESTAMP: Facts(
        BROKER,
        notes="``boundaryType`` is ``LOWER`` (the default) or ``UPPER``: the last one"
        " stored at or before the time.",
    ),
    Code.GET_MAX_OFFSET: Facts(BROKER),
    Code.GET_MIN_OFFSET: Facts(BROKER),
    Code.GET_EARLIEST_MSG_STORETIME: Facts(BROKER),
    Code.GET_ALL_CONSUMER_OFFSET: Facts(BROKER, None, ConsumerOffsetTable),
    Code.GET_ALL_DELAY_OFFSET: Facts(BROKER, None, DelayOffsetTable),
    Code.GET_TIMER_CHECK_POINT: Facts(
        BROKER,
        None,
        "seven numbers of 8 bytes: :class:`TimerCheckPoint "
        "<rocketmq_tw.wire.bodies.other_tables.TimerCheckPoint>`",
        notes="Slaves of Apache RocketMQ ask every 3 s.",
    ),
    Code.GET_TIMER_METRICS: Facts(BROKER, None, TimerMetricsTable),
    Code.GET_ALL_MESSAGE_REQUEST_MODE: Facts(BROKER, None, MessageRequestModeTable),
    Code.UPDATE_AND_CREATE_ACL_CONFIG: Facts(
        BROKER,
        notes="Code 209 where it cannot be done. What the header lacks stays as it"
        " is, but for ``admin``. All five need access control with accounts.",
    ),
    Code.DELETE_ACL_CONFIG: Facts(BROKER, notes="Code 210 without such an account."),
    Code.GET_BROKER_CLUSTER_ACL_INFO: Facts(BROKER),
    Code.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG: Facts(
        BROKER,
        notes="Code 211 where it cannot be done. Only files that are in use can be"
        " named.",
    ),
    Code.GET_BROKER_CLUSTER_ACL_CONFIG: Facts(
        BROKER, None, AclConfig, "This broker never returns secrets."
    ),
    Code.AUTH_CREATE_USER: Facts(
        BROKER,
        _USER,
        notes="Code 16 where there is such a user. All of these need access control"
        " with users.",
    ),
    Code.AUTH_UPDATE_USER: Facts(
        BROKER, _USER, notes="What the body lacks stays as it is."
    ),
    Code.AUTH_DELETE_USER: Facts(
        BROKER,
        notes="What the user may do is deleted, too; code 0 without such a user.",
    ),
    Code.AUTH_GET_USER: Facts(
        BROKER,
        None,
        _USER,
        "No body without such a user. This broker never returns the password.",
    ),
    Code.AUTH_LIST_USER: Facts(
        BROKER, None, "a list of these objects", "``filter`` is a part of the name."
    ),
    Code.AUTH_CREATE_ACL: Facts(BROKER, _ACL),
    Code.AUTH_UPDATE_ACL: Facts(
        BROKER, _ACL, notes="Entries of the same resources are replaced."
    ),
    Code.AUTH_DELETE_ACL: Facts(
        BROKER, notes="Without a resource, all that the user may do."
    ),
    Code.AUTH_GET_ACL: Facts(BROKER, None, _ACL, "No body if there is nothing."),
    Code.AUTH_LIST_ACL: Facts(BROKER, None, "a list of these objects"),
    Code.GET_BROKER_HA_STATUS: Facts(BROKER, None, HARuntimeInfo),
    Code.EXCHANGE_BROKER_HA_INFO: Facts(
        BROKER,
        notes="Brokers with ``enableSlaveActingMaster`` send it to one another when"
        " they start.",
    ),
    Code.NOTIFY_MIN_BROKER_ID_CHANGE: Facts(
        BROKER,
        notes="One-way, from a name server over the connection that registered the"
        " broker.",
    ),
    Code.HEART_BEAT: Facts(
        BROKER,
        HeartbeatData,
        None,
        "Creates the retry topics of the consumer groups. See :doc:`client`.",
    ),
    Code.CHECK_CLIENT_CONFIG: Facts(
        BROKER,
        CheckClientRequestBody,
        None,
        "23 for an SQL92 expression that is wrong, 1 if ``enablePropertyFilter`` is"
        " false.",
    ),
    Code.UNREGISTER_CLIENT: Facts(
        BROKER, notes="One of the two groups is named; the connection stays open."
    ),
    Code.GET_CONSUMER_LIST_BY_GROUP: Facts(
        BROKER,
        None,
        ConsumerIdList,
        "Each id once; of Apache's brokers, once for each connection."
        " Code 1 where no member is online.",
    ),
    Code.NOTIFY_CONSUMER_IDS_CHANGED: Facts(CLIENT),
    Code.GET_CONSUMER_CONNECTION_LIST: Facts(
        BROKER, None, ConsumerConnection, "Code 206 where no member is online."
    ),
    Code.GET_ALL_PRODUCER_INFO: Facts(BROKER, None, ProducerTableInfo),
    Code.GET_PRODUCER_CONNECTION_LIST: Facts(
        BROKER, None, ProducerConnection, "Code 1 where none is online."
    ),
    Code.LOCK_BATCH_MQ: Facts(
        BROKER,
        LockBatchRequestBody,
        LockBatchResponseBody,
        "A lock is lost after 60 s; clients renew theirs every 20 s.",
    ),
    Code.UNLOCK_BATCH_MQ: Facts(BROKER, UnlockBatchRequestBody),
    Code.UPDATE_AND_CREATE_TOPIC: Facts(
        BROKER,
        notes="``attributes`` is ``+name=value,-name``: to set and to remove. ``perm``"
        " is the sum of 4 (read) and 2 (write).",
    ),
    Code.DELETE_TOPIC_IN_BROKER: Facts(BROKER),
    Code.DELETE_TOPIC_IN_BROKER_LIST: Facts(
        BROKER,
        TopicList,
        notes="From 5.5.1 on. Code 29 where one may not be deleted; then none is.",
    ),
    Code.DELETE_SUBSCRIPTION_GROUP_LIST: Facts(
        BROKER, DeletedGroups, notes="From 5.5.1 on. Code 29 where a name is empty."
    ),
    Code.GET_ALL_TOPIC_CONFIG: Facts(BROKER, None, TopicConfigAndMappingTable),
    Code.GET_TOPIC_CONFIG: Facts(
        BROKER, None, TopicConfig, "Code 17 where there is no such topic."
    ),
    Code.GET_TOPIC_STATS_INFO: Facts(
        BROKER, None, TopicStatsTable, "Code 17 where there is no such topic."
    ),
    Code.GET_SYSTEM_TOPIC_LIST_FROM_BROKER: Facts(BROKER, None, TopicList),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: Facts(BROKER, SubscriptionGroup),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: Facts(
        BROKER,
        SubscriptionGroupList,
        notes="Code 29 where one cannot be; then none is changed.",
    ),
    Code.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: Facts(BROKER, None, SubscriptionGroupTable),
    Code.GET_SUBSCRIPTIONGROUP_CONFIG: Facts(
        BROKER, None, SubscriptionGroup, "Code 26 where there is no such group."
    ),
    Code.DELETE_SUBSCRIPTIONGROUP: Facts(BROKER),
    Code.GET_BROKER_RUNTIME_INFO: Facts(BROKER, None, KVTable),
    Code.GET_BROKER_CONFIG: Facts(BROKER, None, _PROPERTIES),
    Code.UPDATE_BROKER_CONFIG: Facts(
        BROKER,
        _PROPERTIES,
        None,
        "All of these settings are changed, or none. Code 16 where one cannot be"
        " changed while the broker runs.",
    ),
    Code.GET_CONSUME_STATS: Facts(BROKER, None, ConsumeStats),
    Code.GET_CONSUMER_RUNNING_INFO: Facts(
        BROKER,
        None,
        ConsumerRunningInfo,
        "Code 1 where there is no such member, 207 where it does not respond in 10 s.",
    ),
    Code.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: Facts(
        BROKER,
        None,
        GetConsumerStatusBody,
        "The broker asks the members with code 221. Who does not respond in 5 s is left"
        " out. Code 1 where no member is connected.",
    ),
    Code.UPDATE_AND_CREATE_TOPIC_LIST: Facts(
        BROKER,
        TopicConfigList,
        None,
        "All topics are created or changed, or none; code 29 where one cannot be.",
    ),
    Code.UPDATE_AND_GET_GROUP_FORBIDDEN: Facts(
        BROKER,
        None,
        GroupForbidden,
        "Codes 17 and 26 where topic or group are not there; Apache RocketMQ keeps what"
        " is forbidden of any.",
    ),
    Code.CLEAN_EXPIRED_CONSUMEQUEUE: Facts(
        BROKER,
        None,
        None,
        "No queue begins again at offset 0, as those do in Apache RocketMQ that have"
        " lost all messages.",
    ),
    Code.CLEAN_UNUSED_TOPIC: Facts(BROKER),
    Code.DELETE_EXPIRED_COMMITLOG: Facts(
        BROKER, None, None, "The next twenty checks of the disk, ten seconds apart."
    ),
    Code.RESUME_CHECK_HALF_MESSAGE: Facts(
        BROKER,
        notes="Code 1 where the id is not that of a message in"
        " ``TRANS_CHECK_MAX_TIME_TOPIC``.",
    ),
    Code.SWITCH_TIMER_ENGINE: Facts(
        BROKER, None, None, "``F`` changes nothing; code 29 for others."
    ),
    Code.VIEW_BROKER_STATS_DATA: Facts(
        BROKER,
        None,
        BrokerStatsData,
        "Code 1 where nothing was counted under that name and key, which tools take as"
        " zero. ``QUEUE_GET_NUMS``, ``QUEUE_GET_SIZE`` and ``GROUP_GET_LATENCY`` are"
        " counted from the first request for a key on; ``GROUP_GET_FALL_SIZE`` and"
        " ``GROUP_GET_FALL_TIME`` are what is so now, in the place of the last minute.",
    ),
    Code.GET_BROKER_CONSUME_STATS: Facts(
        BROKER,
        None,
        ConsumeStatsList,
        "Groups without offsets are left out. Code 1 where it takes more than 12 MiB.",
    ),
    Code.QUERY_CONSUME_TIME_SPAN: Facts(
        BROKER,
        None,
        QueryConsumeTimeSpanBody,
        "Code 17 where there is no such topic.",
    ),
    Code.QUERY_CORRECTION_OFFSET: Facts(
        BROKER,
        None,
        QueryCorrectionOffsetBody,
        "At Apache's brokers the groups in ``filterGroups`` lose all their offsets.",
    ),
    Code.QUERY_TOPIC_CONSUME_BY_WHO: Facts(
        BROKER,
        None,
        GroupList,
        "Groups that have committed offsets, and those that subscribe now.",
    ),
    Code.QUERY_TOPICS_BY_CONSUMER: Facts(BROKER, None, TopicList),
    Code.QUERY_SUBSCRIPTION_BY_CONSUMER: Facts(
        BROKER, None, QuerySubscriptionResponseBody
    ),
    Code.QUERY_CONSUME_QUEUE: Facts(
        BROKER,
        None,
        QueryConsumeQueueResponseBody,
        "Code 1 where there is no such queue; at most 1000 entries.",
    ),
    Code.CONSUME_MESSAGE_DIRECTLY: Facts(
        "broker, which passes it on to the client",
        "to the client: one record",
        ConsumeMessageDirectlyResult,
        "Nothing is committed. Code 1 where there is no such member or message, or the"
        " group is not in the client; 207 where it does not respond in 10 s.",
    ),
    Code.INVOKE_BROKER_TO_RESET_OFFSET: Facts(
        BROKER,
        None,
        ResetOffsetBody,
        "Code 17 or 26 where there is no such topic or group. The next pull of each"
        " queue gets code 21 and the offset; commits before that are ignored.",
    ),
    Code.CLONE_GROUP_OFFSET: Facts(BROKER),
    Code.RESET_CONSUMER_CLIENT_OFFSET: Facts(CLIENT, ResetOffsetBody),
    Code.GET_CONSUMER_STATUS_FROM_CLIENT: Facts(CLIENT, None, GetConsumerStatusBody),
    Code.REGISTER_BROKER: Facts(
        NAME_SERVER,
        RegisterBrokerBody,
        KVTable,
        "The body is JSON, or compressed where ``compressed`` is ``true``: see"
        " :ref:`registration`.",
    ),
    Code.UNREGISTER_BROKER: Facts(NAME_SERVER),
    Code.QUERY_DATA_VERSION: Facts(NAME_SERVER, DataVersion, DataVersion),
    Code.BROKER_HEARTBEAT: Facts(NAME_SERVER),
    Code.WIPE_WRITE_PERM_OF_BROKER: Facts(NAME_SERVER),
    Code.ADD_WRITE_PERM_OF_BROKER: Facts(NAME_SERVER),
    Code.GET_ROUTEINFO_BY_TOPIC: Facts(
        NAME_SERVER,
        None,
        TopicRoute,
        "Code 17 where no live broker has registered the topic.",
    ),
    Code.GET_BROKER_CLUSTER_INFO: Facts(NAME_SERVER, None, ClusterInfo),
    Code.GET_ALL_TOPIC_LIST_FROM_NAMESERVER: Facts(NAME_SERVER, None, TopicList),
    Code.GET_SYSTEM_TOPIC_LIST_FROM_NS: Facts(NAME_SERVER, None, TopicList),
    Code.GET_TOPICS_BY_CLUSTER: Facts(NAME_SERVER, None, TopicList),
    Code.GET_UNIT_TOPIC_LIST: Facts(NAME_SERVER, None, TopicList),
    Code.GET_HAS_UNIT_SUB_TOPIC_LIST: Facts(NAME_SERVER, None, TopicList),
    Code.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: Facts(NAME_SERVER, None, TopicList),
    Code.DELETE_TOPIC_IN_NAMESRV: Facts(NAME_SERVER),
    Code.REGISTER_TOPIC_IN_NAMESRV: Facts(NAME_SERVER, TopicRoute),
    Code.GET_BROKER_MEMBER_GROUP: Facts(NAME_SERVER, None, GetBrokerMemberGroupBody),
    Code.PUT_KV_CONFIG: Facts(NAME_SERVER),
    Code.GET_KV_CONFIG: Facts(NAME_SERVER),
    Code.DELETE_KV_CONFIG: Facts(NAME_SERVER),
    Code.GET_KVLIST_BY_NAMESPACE: Facts(NAME_SERVER, None, KVTable),
    Code.UPDATE_NAMESRV_CONFIG: Facts(NAME_SERVER, _PROPERTIES),
    Code.GET_NAMESRV_CONFIG: Facts(NAME_SERVER, None, _PROPERTIES),
}

#: What a response code means for a client that sends declared requests.
MEANINGS: Final[dict[ResponseCode, str]] = {
    ResponseCode.SUCCESS: "it is done",
    ResponseCode.SYSTEM_ERROR: "it failed; the remark says why. Another broker may do",
    ResponseCode.SYSTEM_BUSY: "the broker is overloaded; try another one, or later",
    ResponseCode.REQUEST_CODE_NOT_SUPPORTED: "nobody handles this request code here",
    ResponseCode.FLUSH_DISK_TIMEOUT: "stored, but not on disk in time",
    ResponseCode.SLAVE_NOT_AVAILABLE: "stored, but no slave follows closely enough",
    ResponseCode.FLUSH_SLAVE_TIMEOUT: "stored, but not at a slave in time",
    ResponseCode.MESSAGE_ILLEGAL: "the message breaks a rule; do not try again",
    ResponseCode.SERVICE_NOT_AVAILABLE: "the store accepts no messages; try another"
    " broker",
    ResponseCode.NO_PERMISSION: "not permitted by broker, topic or group; the response"
    " to a pull says which in ``forbiddenType``",
    ResponseCode.TOPIC_NOT_EXIST: "no such topic; look its route up again",
    ResponseCode.PULL_NOT_FOUND: "no new message; pull again from the same offset",
    ResponseCode.PULL_RETRY_IMMEDIATELY: "nothing for this subscription; go on at"
    " ``nextBeginOffset``",
    ResponseCode.PULL_OFFSET_MOVED: "the queue does not hold the offset; go on at"
    " ``nextBeginOffset``",
    ResponseCode.QUERY_NOT_FOUND: "there is nothing by that name or key",
    ResponseCode.SUBSCRIPTION_PARSE_FAILED: "the subscription cannot be understood",
    ResponseCode.SUBSCRIPTION_NOT_EXIST: "the broker does not know the group's"
    " subscription; send a heartbeat",
    ResponseCode.SUBSCRIPTION_NOT_LATEST: "the broker knows an older subscription; send"
    " a heartbeat",
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST: "no such group, nor may it be created",
    ResponseCode.INVALID_PARAMETER: "a field is out of its range",
    ResponseCode.CONSUMER_NOT_ONLINE: "no member of the group is connected",
    ResponseCode.FLOW_CONTROL: "slow down; pull again after 20 ms",
}
