"""
What each request needs to be allowed, and who sends it.

Every declared request has a rule: ``tests/wire/requests/test_rules.py`` fails without
one, and with access control a request without a rule is refused to all but super users.

Needs are as in RocketMQ 5.5, or stricter: requests that Apache RocketMQ lets any user
send need ``Get`` or ``Update`` on the cluster. Only the first offset of a queue, and
its time, may be asked for with ``Sub`` as well, as its last one may.

Source: ``DefaultAuthorizationContextBuilder`` and the annotations of request headers in
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rocketmq_tw.model.access import Action, Caller, Need, ResourceKind
from rocketmq_tw.model.topic import RETRY_PREFIX
from rocketmq_tw.wire.codes import RequestCode as Code

#: Returns what a request needs.
Needs = Callable[[Any], list[Need]]

_PUB = (Action.PUB,)
_SUB = (Action.SUB,)
_READ = (Action.SUB, Action.GET)


class Rule(msgspec.Struct, frozen=True):
    """
    The rule of a request.

    :ivar needs: all of them have to be allowed.
    """

    caller: Caller
    needs: Needs

    @property
    def is_administration(self) -> bool:
        """Whether it is a request of an operator's tool."""
        return self.caller is Caller.ADMINISTRATOR


def topic_need(name: str, *actions: Action) -> Need:
    """Return the need of a topic; a retry topic belongs to its group."""
    if name.startswith(RETRY_PREFIX):
        own = _SUB if actions == _PUB else actions
        return group_need(name.removeprefix(RETRY_PREFIX), *own)
    return Need(ResourceKind.TOPIC, name, actions)


def group_need(name: str, *actions: Action) -> Need:
    """Return the need of a group."""
    return Need(ResourceKind.GROUP, name, actions)


def _cluster(action: Action) -> Needs:
    needs = [Need(ResourceKind.CLUSTER, "", (action,))]
    return lambda request: needs


def _topic(*actions: Action, field: str = "topic") -> Needs:
    """Need some action on the topic in a field; without a topic, on all."""

    def needs(request: Any) -> list[Need]:
        return [topic_need(getattr(request, field) or "*", *actions)]

    return needs


def _group(*actions: Action, field: str = "consumer_group") -> Needs:
    """Need some action on the group in a field; without a group, on all."""

    def needs(request: Any) -> list[Need]:
        return [group_need(getattr(request, field) or "*", *actions)]

    return needs


def _both(*actions: Action, field: str = "consumer_group") -> Needs:
    """Need some action on a topic, and on the group in a field."""

    def needs(request: Any) -> list[Need]:
        return [
            topic_need(request.topic or "*", *actions),
            group_need(getattr(request, field) or "*", *actions),
        ]

    return needs


def _group_and_topic(request: Any) -> list[Need]:
    """Need ``Get`` on a group and a topic; on all topics if none is named."""
    return [
        group_need(request.group or "*", Action.GET),
        topic_need(request.topic or "*", Action.GET),
    ]


def _corrected(request: Any) -> list[Need]:
    """Need ``Get`` on the topic and all groups that are named."""
    groups = [request.compare_group or "*", *(request.filter_groups or "").split(",")]
    return [
        topic_need(request.topic or "*", Action.GET),
        *(group_need(name, Action.GET) for name in dict.fromkeys(groups) if name),
    ]


def _queue_entries(request: Any) -> list[Need]:
    """Need ``Get`` on the topic, and on the group if one is named."""
    group = request.consumer_group
    needs = [topic_need(request.topic or "*", Action.GET)]
    return [*needs, group_need(group, Action.GET)] if group else needs


def _cloned(request: Any) -> list[Need]:
    """Need ``Get`` on the source, ``Update`` on the other group and the topic."""
    return [
        group_need(request.src_group or "*", Action.GET),
        group_need(request.dest_group or "*", Action.UPDATE),
        topic_need(request.topic or "*", Action.UPDATE),
    ]


def _heartbeat(request: Any) -> list[Need]:
    """Need ``Sub`` on each consumer group, and on what it subscribes to."""
    from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData

    needs: dict[Need, None] = {}
    for group in HeartbeatData.decode_request(request.body).consumer_data_set:
        needs[group_need(group.group_name, *_SUB)] = None
        for subscription in group.subscription_data_set:
            needs[topic_need(subscription.topic, *_SUB)] = None
    return list(needs)


def _checked(request: Any) -> list[Need]:
    """Need ``Sub`` on the group, and on the topic of the subscription."""
    from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody

    body = CheckClientRequestBody.decode_request(request.body)
    subscription = body.subscription_data
    needs = [group_need(body.group or "*", *_SUB)]
    if subscription is not None:
        needs.append(topic_need(subscription.topic, *_SUB))
    return needs


def _queues(request: Any) -> list[Need]:
    """Need ``Sub`` on the group and the topics of queues."""
    from rocketmq_tw.wire.bodies.locks import UnlockBatchRequestBody

    body = UnlockBatchRequestBody.decode_request(request.body)
    topics = dict.fromkeys(queue.topic for queue in body.mq_set)
    return [
        group_need(body.consumer_group, *_SUB),
        *(topic_need(topic, *_SUB) for topic in topics),
    ]


def _unregistered(request: Any) -> list[Need]:
    """Need ``Sub`` on the consumer group; a producer needs nothing."""
    group = request.consumer_group
    return [group_need(group, *_SUB)] if group else []


def _sent_back(request: Any) -> list[Need]:
    """
    Need ``Sub`` on the group whose consumer failed, and on the topic of the message.

    Apache RocketMQ asks for the group only, so that a consumer can have any message
    copied into the retry topic of its own group.
    """
    topic = request.origin_topic or "*"
    return [group_need(request.group, *_SUB), topic_need(topic, *_SUB)]


def _ended(request: Any) -> list[Need]:
    """Need ``Pub`` on the topic; a client before 5.0 does not name it."""
    return [topic_need(request.topic, *_PUB)] if request.topic else []


def _consume_stats(request: Any) -> list[Need]:
    """Need ``Get`` on the group, and on the topics that are named."""
    topics = (request.topic_list or "").split(";") + [request.topic or ""]
    return [
        group_need(request.consumer_group, Action.GET),
        *(topic_need(topic, Action.GET) for topic in dict.fromkeys(topics) if topic),
    ]


def _consumed_directly(request: Any) -> list[Need]:
    """Need what a consumer does, as it gets any message; and to change the group."""
    return [
        group_need(request.consumer_group, *_SUB),
        group_need(request.consumer_group, Action.UPDATE),
        topic_need(request.topic or "*", *_SUB),
    ]


def _group_config(request: Any) -> list[Need]:
    """Need ``Update`` on the group in the body."""
    from rocketmq_tw.model.group import SubscriptionGroup
    from rocketmq_tw.wire.request_json import decode_request

    group = decode_request(request.body, SubscriptionGroup)
    return [group_need(group.group_name, Action.UPDATE)]


def _group_configs(request: Any) -> list[Need]:
    """Need ``Update`` on all groups in the body."""
    from rocketmq_tw.wire.bodies.groups import SubscriptionGroupList

    groups = SubscriptionGroupList.decode_request(request.body).group_config_list
    names = dict.fromkeys(each.group_name for each in groups)
    return [group_need(name, Action.UPDATE) for name in names or ("*",)]


def _popped(request: Any) -> list[Need]:
    """Need ``Sub`` on the group, whose retry topics are its own, and on the topic."""
    group = group_need(request.consumer_group, *_SUB)
    if request.topic.startswith(RETRY_PREFIX):
        return [group]  # what is in flight belongs to that group
    return [topic_need(request.topic, *_SUB), group]


def _popped_many(request: Any) -> list[Need]:
    """Need ``Sub`` on the groups and topics of all acknowledgements, or on all."""
    from rocketmq_tw.wire.bodies.pop import BatchAckMessageRequestBody

    needs: dict[Need, None] = {}
    for ack in BatchAckMessageRequestBody.decode_request(request.body).acks:
        needs[group_need(ack.consumer_group, *_SUB)] = None
        needs[topic_need(ack.topic, *_SUB)] = None
    return list(needs) or [group_need("*", *_SUB)]


def _assigned(request: Any) -> list[Need]:
    """Need ``Sub`` on the group and the topic whose queues are assigned."""
    from rocketmq_tw.wire.bodies.pop import QueryAssignmentRequestBody

    body = QueryAssignmentRequestBody.decode_request(request.body)
    return [group_need(body.consumer_group, *_SUB), topic_need(body.topic, *_SUB)]


_CLIENT, _SERVER, _ADMIN = Caller.CLIENT, Caller.SERVER, Caller.ADMINISTRATOR
_GET, _UPDATE = _cluster(Action.GET), _cluster(Action.UPDATE)

RULES: dict[int, Rule] = {
    Code.SEND_MESSAGE: Rule(_CLIENT, _topic(*_PUB)),
    Code.SEND_MESSAGE_V2: Rule(_CLIENT, _topic(*_PUB)),
    Code.SEND_BATCH_MESSAGE: Rule(_CLIENT, _topic(*_PUB)),
    Code.SEND_REPLY_MESSAGE: Rule(_CLIENT, _topic(*_PUB)),
    Code.SEND_REPLY_MESSAGE_V2: Rule(_CLIENT, _topic(*_PUB)),
    Code.PUSH_REPLY_MESSAGE_TO_CLIENT: Rule(_SERVER, _UPDATE),
    Code.RECALL_MESSAGE: Rule(_CLIENT, _topic(*_PUB)),
    Code.PULL_MESSAGE: Rule(_CLIENT, _both(*_SUB)),
    Code.LITE_PULL_MESSAGE: Rule(_CLIENT, _both(*_SUB)),
    Code.CONSUMER_SEND_MSG_BACK: Rule(_CLIENT, _sent_back),
    Code.END_TRANSACTION: Rule(_CLIENT, _ended),
    Code.CHECK_TRANSACTION_STATE: Rule(_SERVER, _UPDATE),
    Code.HEART_BEAT: Rule(_CLIENT, _heartbeat),
    Code.CHECK_CLIENT_CONFIG: Rule(_CLIENT, _checked),
    Code.UNREGISTER_CLIENT: Rule(_CLIENT, _unregistered),
    Code.GET_CONSUMER_LIST_BY_GROUP: Rule(_CLIENT, _group(*_READ)),
    Code.LOCK_BATCH_MQ: Rule(_CLIENT, _queues),
    Code.UNLOCK_BATCH_MQ: Rule(_CLIENT, _queues),
    Code.POP_MESSAGE: Rule(_CLIENT, _both(*_SUB)),
    Code.ACK_MESSAGE: Rule(_CLIENT, _popped),
    Code.BATCH_ACK_MESSAGE: Rule(_CLIENT, _popped_many),
    Code.CHANGE_MESSAGE_INVISIBLETIME: Rule(_CLIENT, _popped),
    Code.PEEK_MESSAGE: Rule(_CLIENT, _both(*_SUB)),
    Code.POP_ROLLBACK: Rule(_ADMIN, _UPDATE),
    Code.NOTIFICATION: Rule(_CLIENT, _both(*_SUB)),
    Code.POLLING_INFO: Rule(_CLIENT, _both(Action.GET)),
    Code.QUERY_ASSIGNMENT: Rule(_CLIENT, _assigned),
    Code.NOTIFY_CONSUMER_IDS_CHANGED: Rule(_SERVER, _UPDATE),
    Code.QUERY_CONSUMER_OFFSET: Rule(_CLIENT, _both(*_READ)),
    Code.UPDATE_CONSUMER_OFFSET: Rule(_CLIENT, _both(Action.SUB, Action.UPDATE)),
    Code.QUERY_MESSAGE: Rule(_CLIENT, _topic(*_READ)),
    Code.VIEW_MESSAGE_BY_ID: Rule(_CLIENT, _topic(Action.GET)),
    Code.SEARCH_OFFSET_BY_TIMESTAMP: Rule(_CLIENT, _topic(*_READ)),
    Code.GET_MAX_OFFSET: Rule(_CLIENT, _topic(*_READ)),
    Code.GET_MIN_OFFSET: Rule(_CLIENT, _topic(*_READ)),
    Code.GET_EARLIEST_MSG_STORETIME: Rule(_CLIENT, _topic(*_READ)),
    Code.GET_ROUTEINFO_BY_TOPIC: Rule(
        _CLIENT, _topic(Action.PUB, Action.SUB, Action.GET)
    ),
    # What slaves copy.
    Code.GET_ALL_TOPIC_CONFIG: Rule(_SERVER, lambda r: [topic_need("*", Action.LIST)]),
    Code.GET_ALL_SUBSCRIPTIONGROUP_CONFIG: Rule(
        _SERVER, lambda r: [group_need("*", Action.LIST)]
    ),
    Code.GET_ALL_CONSUMER_OFFSET: Rule(_SERVER, _GET),
    Code.GET_ALL_DELAY_OFFSET: Rule(_SERVER, _GET),
    Code.GET_TIMER_CHECK_POINT: Rule(_SERVER, _GET),
    Code.GET_TIMER_METRICS: Rule(_SERVER, _GET),
    Code.GET_ALL_MESSAGE_REQUEST_MODE: Rule(_SERVER, _GET),
    Code.EXCHANGE_BROKER_HA_INFO: Rule(_SERVER, _UPDATE),
    Code.NOTIFY_MIN_BROKER_ID_CHANGE: Rule(_SERVER, _UPDATE),
    # What brokers say and ask at name servers.
    Code.REGISTER_BROKER: Rule(_SERVER, _UPDATE),
    Code.UNREGISTER_BROKER: Rule(_SERVER, _UPDATE),
    Code.BROKER_HEARTBEAT: Rule(_SERVER, _UPDATE),
    Code.QUERY_DATA_VERSION: Rule(_SERVER, _GET),
    Code.GET_BROKER_MEMBER_GROUP: Rule(_SERVER, _GET),
    Code.REGISTER_TOPIC_IN_NAMESRV: Rule(_SERVER, _UPDATE),
    # Clients ask for these, too: namespaces' settings, and the list of topics.
    Code.GET_KV_CONFIG: Rule(_CLIENT, _GET),
    Code.GET_KVLIST_BY_NAMESPACE: Rule(_CLIENT, _GET),
    Code.GET_BROKER_CLUSTER_INFO: Rule(_CLIENT, _GET),
    Code.GET_ALL_TOPIC_LIST_FROM_NAMESERVER: Rule(_CLIENT, _GET),
    Code.GET_SYSTEM_TOPIC_LIST_FROM_NS: Rule(_CLIENT, _GET),
    Code.GET_SYSTEM_TOPIC_LIST_FROM_BROKER: Rule(_CLIENT, _GET),
    Code.GET_TOPICS_BY_CLUSTER: Rule(_CLIENT, _GET),
    Code.GET_UNIT_TOPIC_LIST: Rule(_CLIENT, _GET),
    Code.GET_HAS_UNIT_SUB_TOPIC_LIST: Rule(_CLIENT, _GET),
    Code.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST: Rule(_CLIENT, _GET),
    # Administration.
    Code.UPDATE_AND_CREATE_TOPIC: Rule(_ADMIN, _topic(Action.CREATE)),
    Code.DELETE_TOPIC_IN_BROKER: Rule(_ADMIN, _topic(Action.DELETE)),
    Code.DELETE_TOPIC_IN_NAMESRV: Rule(_ADMIN, _UPDATE),
    Code.GET_TOPIC_CONFIG: Rule(_ADMIN, _topic(Action.GET)),
    Code.GET_TOPIC_STATS_INFO: Rule(_ADMIN, _topic(Action.GET)),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: Rule(_ADMIN, _group_config),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: Rule(_ADMIN, _group_configs),
    Code.DELETE_SUBSCRIPTIONGROUP: Rule(
        _ADMIN, _group(Action.DELETE, field="group_name")
    ),
    Code.GET_SUBSCRIPTIONGROUP_CONFIG: Rule(_ADMIN, _group(Action.GET, field="group")),
    Code.SET_MESSAGE_REQUEST_MODE: Rule(_ADMIN, _UPDATE),
    Code.GET_CONSUME_STATS: Rule(_ADMIN, _consume_stats),
    Code.GET_CONSUMER_CONNECTION_LIST: Rule(_ADMIN, _group(Action.GET)),
    Code.GET_PRODUCER_CONNECTION_LIST: Rule(_ADMIN, _GET),
    Code.GET_ALL_PRODUCER_INFO: Rule(_ADMIN, _GET),
    Code.GET_CONSUMER_RUNNING_INFO: Rule(_ADMIN, _group(Action.GET)),
    Code.CONSUME_MESSAGE_DIRECTLY: Rule(_ADMIN, _consumed_directly),
    Code.INVOKE_BROKER_TO_RESET_OFFSET: Rule(
        _ADMIN, _both(Action.UPDATE, field="group")
    ),
    Code.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: Rule(_ADMIN, _group_and_topic),
    Code.QUERY_CONSUME_TIME_SPAN: Rule(_ADMIN, _group_and_topic),
    Code.QUERY_SUBSCRIPTION_BY_CONSUMER: Rule(_ADMIN, _group_and_topic),
    Code.QUERY_CORRECTION_OFFSET: Rule(_ADMIN, _corrected),
    Code.QUERY_CONSUME_QUEUE: Rule(_ADMIN, _queue_entries),
    Code.QUERY_TOPIC_CONSUME_BY_WHO: Rule(_ADMIN, _topic(Action.GET)),
    Code.QUERY_TOPICS_BY_CONSUMER: Rule(_ADMIN, _group(Action.GET, field="group")),
    Code.GET_BROKER_CONSUME_STATS: Rule(_ADMIN, _GET),
    Code.VIEW_BROKER_STATS_DATA: Rule(_ADMIN, _GET),
    Code.CLONE_GROUP_OFFSET: Rule(_ADMIN, _cloned),
    Code.RESET_CONSUMER_CLIENT_OFFSET: Rule(_SERVER, _UPDATE),
    Code.GET_CONSUMER_STATUS_FROM_CLIENT: Rule(_SERVER, _GET),
    Code.UPDATE_BROKER_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.GET_BROKER_CONFIG: Rule(_ADMIN, _GET),
    Code.GET_BROKER_RUNTIME_INFO: Rule(_ADMIN, _GET),
    Code.GET_BROKER_HA_STATUS: Rule(_ADMIN, _GET),
    Code.WIPE_WRITE_PERM_OF_BROKER: Rule(_SERVER, _UPDATE),
    Code.ADD_WRITE_PERM_OF_BROKER: Rule(_ADMIN, _UPDATE),
    Code.PUT_KV_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.DELETE_KV_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.UPDATE_NAMESRV_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.GET_NAMESRV_CONFIG: Rule(_ADMIN, _GET),
    Code.UPDATE_AND_CREATE_ACL_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.DELETE_ACL_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.GET_BROKER_CLUSTER_ACL_INFO: Rule(_ADMIN, _GET),
    Code.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.GET_BROKER_CLUSTER_ACL_CONFIG: Rule(_ADMIN, _GET),
    Code.AUTH_CREATE_USER: Rule(_ADMIN, _UPDATE),
    Code.AUTH_UPDATE_USER: Rule(_ADMIN, _UPDATE),
    Code.AUTH_DELETE_USER: Rule(_ADMIN, _UPDATE),
    Code.AUTH_GET_USER: Rule(_ADMIN, _GET),
    Code.AUTH_LIST_USER: Rule(_ADMIN, _GET),
    Code.AUTH_CREATE_ACL: Rule(_ADMIN, _UPDATE),
    Code.AUTH_UPDATE_ACL: Rule(_ADMIN, _UPDATE),
    Code.AUTH_DELETE_ACL: Rule(_ADMIN, _UPDATE),
    Code.AUTH_GET_ACL: Rule(_ADMIN, _GET),
    Code.AUTH_LIST_ACL: Rule(_ADMIN, _GET),
}

#: The requests of administrators.
ADMINISTRATION = frozenset(
    int(code) for code, rule in RULES.items() if rule.is_administration
)

__all__ = ["ADMINISTRATION", "RULES", "Rule", "group_need", "topic_need"]
