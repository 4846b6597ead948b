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

import msgspec

from rocketmq_tw.model.access import Action, Caller
from rocketmq_tw.wire.codes import RequestCode as Code
from rocketmq_tw.wire.requests.needs import (
    PUB,
    READ,
    SUB,
    Needs,
    assigned,
    checked,
    cloned,
    consume_stats,
    consumed_directly,
    corrected,
    deleted_groups,
    deleted_topics,
    ended,
    group_and_topic,
    group_config,
    group_configs,
    group_need,
    heartbeat,
    on_both,
    on_cluster,
    on_group,
    on_topic,
    popped,
    popped_many,
    queue_entries,
    queues,
    sent_back,
    topic_configs,
    topic_need,
    unregistered,
)


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


_CLIENT, _SERVER, _ADMIN = Caller.CLIENT, Caller.SERVER, Caller.ADMINISTRATOR
_GET, _UPDATE = on_cluster(Action.GET), on_cluster(Action.UPDATE)

RULES: dict[int, Rule] = {
    Code.SEND_MESSAGE: Rule(_CLIENT, on_topic(*PUB)),
    Code.SEND_MESSAGE_V2: Rule(_CLIENT, on_topic(*PUB)),
    Code.SEND_BATCH_MESSAGE: Rule(_CLIENT, on_topic(*PUB)),
    Code.SEND_REPLY_MESSAGE: Rule(_CLIENT, on_topic(*PUB)),
    Code.SEND_REPLY_MESSAGE_V2: Rule(_CLIENT, on_topic(*PUB)),
    Code.PUSH_REPLY_MESSAGE_TO_CLIENT: Rule(_SERVER, _UPDATE),
    Code.RECALL_MESSAGE: Rule(_CLIENT, on_topic(*PUB)),
    Code.PULL_MESSAGE: Rule(_CLIENT, on_both(*SUB)),
    Code.LITE_PULL_MESSAGE: Rule(_CLIENT, on_both(*SUB)),
    Code.CONSUMER_SEND_MSG_BACK: Rule(_CLIENT, sent_back),
    Code.END_TRANSACTION: Rule(_CLIENT, ended),
    Code.RESUME_CHECK_HALF_MESSAGE: Rule(_ADMIN, on_topic(Action.UPDATE)),
    Code.CHECK_TRANSACTION_STATE: Rule(_SERVER, _UPDATE),
    Code.HEART_BEAT: Rule(_CLIENT, heartbeat),
    Code.CHECK_CLIENT_CONFIG: Rule(_CLIENT, checked),
    Code.UNREGISTER_CLIENT: Rule(_CLIENT, unregistered),
    Code.GET_CONSUMER_LIST_BY_GROUP: Rule(_CLIENT, on_group(*READ)),
    Code.LOCK_BATCH_MQ: Rule(_CLIENT, queues),
    Code.UNLOCK_BATCH_MQ: Rule(_CLIENT, queues),
    Code.POP_MESSAGE: Rule(_CLIENT, on_both(*SUB)),
    Code.ACK_MESSAGE: Rule(_CLIENT, popped),
    Code.BATCH_ACK_MESSAGE: Rule(_CLIENT, popped_many),
    Code.CHANGE_MESSAGE_INVISIBLETIME: Rule(_CLIENT, popped),
    Code.PEEK_MESSAGE: Rule(_CLIENT, on_both(*SUB)),
    Code.POP_ROLLBACK: Rule(_ADMIN, _UPDATE),
    Code.NOTIFICATION: Rule(_CLIENT, on_both(*SUB)),
    Code.POLLING_INFO: Rule(_CLIENT, on_both(Action.GET)),
    Code.QUERY_ASSIGNMENT: Rule(_CLIENT, assigned),
    Code.NOTIFY_CONSUMER_IDS_CHANGED: Rule(_SERVER, _UPDATE),
    Code.QUERY_CONSUMER_OFFSET: Rule(_CLIENT, on_both(*READ)),
    Code.UPDATE_CONSUMER_OFFSET: Rule(_CLIENT, on_both(Action.SUB, Action.UPDATE)),
    Code.QUERY_MESSAGE: Rule(_CLIENT, on_topic(*READ)),
    Code.VIEW_MESSAGE_BY_ID: Rule(_CLIENT, on_topic(Action.GET)),
    Code.SEARCH_OFFSET_BY_TIMESTAMP: Rule(_CLIENT, on_topic(*READ)),
    Code.GET_MAX_OFFSET: Rule(_CLIENT, on_topic(*READ)),
    Code.GET_MIN_OFFSET: Rule(_CLIENT, on_topic(*READ)),
    Code.GET_EARLIEST_MSG_STORETIME: Rule(_CLIENT, on_topic(*READ)),
    Code.GET_ROUTEINFO_BY_TOPIC: Rule(
        _CLIENT, on_topic(Action.PUB, Action.SUB, Action.GET)
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
    Code.UPDATE_AND_CREATE_TOPIC: Rule(_ADMIN, on_topic(Action.CREATE)),
    Code.UPDATE_AND_CREATE_TOPIC_LIST: Rule(_ADMIN, topic_configs),
    Code.DELETE_TOPIC_IN_BROKER: Rule(_ADMIN, on_topic(Action.DELETE)),
    Code.DELETE_TOPIC_IN_BROKER_LIST: Rule(_ADMIN, deleted_topics),
    Code.DELETE_SUBSCRIPTION_GROUP_LIST: Rule(_ADMIN, deleted_groups),
    Code.DELETE_TOPIC_IN_NAMESRV: Rule(_ADMIN, _UPDATE),
    Code.GET_TOPIC_CONFIG: Rule(_ADMIN, on_topic(Action.GET)),
    Code.GET_TOPIC_STATS_INFO: Rule(_ADMIN, on_topic(Action.GET)),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: Rule(_ADMIN, group_config),
    Code.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: Rule(_ADMIN, group_configs),
    Code.DELETE_SUBSCRIPTIONGROUP: Rule(
        _ADMIN, on_group(Action.DELETE, field="group_name")
    ),
    Code.GET_SUBSCRIPTIONGROUP_CONFIG: Rule(
        _ADMIN, on_group(Action.GET, field="group")
    ),
    Code.UPDATE_AND_GET_GROUP_FORBIDDEN: Rule(
        _ADMIN, on_both(Action.UPDATE, field="group")
    ),
    Code.SET_MESSAGE_REQUEST_MODE: Rule(_ADMIN, _UPDATE),
    Code.GET_CONSUME_STATS: Rule(_ADMIN, consume_stats),
    Code.GET_CONSUMER_CONNECTION_LIST: Rule(_ADMIN, on_group(Action.GET)),
    Code.GET_PRODUCER_CONNECTION_LIST: Rule(_ADMIN, _GET),
    Code.GET_ALL_PRODUCER_INFO: Rule(_ADMIN, _GET),
    Code.GET_CONSUMER_RUNNING_INFO: Rule(_ADMIN, on_group(Action.GET)),
    Code.CONSUME_MESSAGE_DIRECTLY: Rule(_ADMIN, consumed_directly),
    Code.INVOKE_BROKER_TO_RESET_OFFSET: Rule(
        _ADMIN, on_both(Action.UPDATE, field="group")
    ),
    Code.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: Rule(_ADMIN, group_and_topic),
    Code.QUERY_CONSUME_TIME_SPAN: Rule(_ADMIN, group_and_topic),
    Code.QUERY_SUBSCRIPTION_BY_CONSUMER: Rule(_ADMIN, group_and_topic),
    Code.QUERY_CORRECTION_OFFSET: Rule(_ADMIN, corrected),
    Code.QUERY_CONSUME_QUEUE: Rule(_ADMIN, queue_entries),
    Code.QUERY_TOPIC_CONSUME_BY_WHO: Rule(_ADMIN, on_topic(Action.GET)),
    Code.QUERY_TOPICS_BY_CONSUMER: Rule(_ADMIN, on_group(Action.GET, field="group")),
    Code.GET_BROKER_CONSUME_STATS: Rule(_ADMIN, _GET),
    Code.VIEW_BROKER_STATS_DATA: Rule(_ADMIN, _GET),
    Code.CLONE_GROUP_OFFSET: Rule(_ADMIN, cloned),
    Code.RESET_CONSUMER_CLIENT_OFFSET: Rule(_SERVER, _UPDATE),
    Code.GET_CONSUMER_STATUS_FROM_CLIENT: Rule(_SERVER, _GET),
    Code.UPDATE_BROKER_CONFIG: Rule(_ADMIN, _UPDATE),
    Code.GET_BROKER_CONFIG: Rule(_ADMIN, _GET),
    Code.GET_BROKER_RUNTIME_INFO: Rule(_ADMIN, _GET),
    Code.CLEAN_EXPIRED_CONSUMEQUEUE: Rule(_ADMIN, _UPDATE),
    Code.CLEAN_UNUSED_TOPIC: Rule(_ADMIN, _UPDATE),
    Code.DELETE_EXPIRED_COMMITLOG: Rule(_ADMIN, _UPDATE),
    Code.SWITCH_TIMER_ENGINE: Rule(_ADMIN, _UPDATE),
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
