"""
What requests need to be allowed: actions on topics, groups and the cluster.

Source: ``DefaultAuthorizationContextBuilder`` and the annotations of request headers in
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rocketmq_tw.model.access import Action, Need, ResourceKind
from rocketmq_tw.model.topic import RETRY_PREFIX

#: Returns what a request needs.
Needs = Callable[[Any], list[Need]]

PUB = (Action.PUB,)
SUB = (Action.SUB,)
READ = (Action.SUB, Action.GET)


def topic_need(name: str, *actions: Action) -> Need:
    """Return the need of a topic; a retry topic belongs to its group."""
    if name.startswith(RETRY_PREFIX):
        own = SUB if actions == PUB else actions
        return group_need(name.removeprefix(RETRY_PREFIX), *own)
    return Need(ResourceKind.TOPIC, name, actions)


def group_need(name: str, *actions: Action) -> Need:
    """Return the need of a group."""
    return Need(ResourceKind.GROUP, name, actions)


def on_cluster(action: Action) -> Needs:
    """Need an action on the cluster."""
    needs = [Need(ResourceKind.CLUSTER, "", (action,))]
    return lambda request: needs


def on_topic(*actions: Action, field: str = "topic") -> Needs:
    """Need some action on the topic in a field; without a topic, on all."""

    def needs(request: Any) -> list[Need]:
        return [topic_need(getattr(request, field) or "*", *actions)]

    return needs


def on_group(*actions: Action, field: str = "consumer_group") -> Needs:
    """Need some action on the group in a field; without a group, on all."""

    def needs(request: Any) -> list[Need]:
        return [group_need(getattr(request, field) or "*", *actions)]

    return needs


def on_both(*actions: Action, field: str = "consumer_group") -> Needs:
    """Need some action on a topic, and on the group in a field."""

    def needs(request: Any) -> list[Need]:
        return [
            topic_need(request.topic or "*", *actions),
            group_need(getattr(request, field) or "*", *actions),
        ]

    return needs


def group_and_topic(request: Any) -> list[Need]:
    """Need ``Get`` on a group and a topic; on all topics if none is named."""
    return [
        group_need(request.group or "*", Action.GET),
        topic_need(request.topic or "*", Action.GET),
    ]


def corrected(request: Any) -> list[Need]:
    """Need ``Get`` on the topic and all groups that are named."""
    groups = [request.compare_group or "*", *(request.filter_groups or "").split(",")]
    return [
        topic_need(request.topic or "*", Action.GET),
        *(group_need(name, Action.GET) for name in dict.fromkeys(groups) if name),
    ]


def queue_entries(request: Any) -> list[Need]:
    """Need ``Get`` on the topic, and on the group if one is named."""
    group = request.consumer_group
    needs = [topic_need(request.topic or "*", Action.GET)]
    return [*needs, group_need(group, Action.GET)] if group else needs


def cloned(request: Any) -> list[Need]:
    """Need ``Get`` on the source, ``Update`` on the other group and the topic."""
    return [
        group_need(request.src_group or "*", Action.GET),
        group_need(request.dest_group or "*", Action.UPDATE),
        topic_need(request.topic or "*", Action.UPDATE),
    ]


def heartbeat(request: Any) -> list[Need]:
    """Need ``Sub`` on each consumer group, and on what it subscribes to."""
    from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData

    needs: dict[Need, None] = {}
    for group in HeartbeatData.decode_request(request.body).consumer_data_set:
        needs[group_need(group.group_name, *SUB)] = None
        for subscription in group.subscription_data_set:
            needs[topic_need(subscription.topic, *SUB)] = None
    return list(needs)


def checked(request: Any) -> list[Need]:
    """Need ``Sub`` on the group, and on the topic of the subscription."""
    from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody

    body = CheckClientRequestBody.decode_request(request.body)
    subscription = body.subscription_data
    needs = [group_need(body.group or "*", *SUB)]
    if subscription is not None:
        needs.append(topic_need(subscription.topic, *SUB))
    return needs


def queues(request: Any) -> list[Need]:
    """Need ``Sub`` on the group and the topics of queues."""
    from rocketmq_tw.wire.bodies.locks import UnlockBatchRequestBody

    body = UnlockBatchRequestBody.decode_request(request.body)
    topics = dict.fromkeys(queue.topic for queue in body.mq_set)
    return [
        group_need(body.consumer_group, *SUB),
        *(topic_need(topic, *SUB) for topic in topics),
    ]


def unregistered(request: Any) -> list[Need]:
    """Need ``Sub`` on the consumer group; a producer needs nothing."""
    group = request.consumer_group
    return [group_need(group, *SUB)] if group else []


def sent_back(request: Any) -> list[Need]:
    """
    Need ``Sub`` on the group whose consumer failed, and on the topic of the message.

    Apache RocketMQ asks for the group only, so that a consumer can have any message
    copied into the retry topic of its own group.
    """
    topic = request.origin_topic or "*"
    return [group_need(request.group, *SUB), topic_need(topic, *SUB)]


def ended(request: Any) -> list[Need]:
    """Need ``Pub`` on the topic; a client before 5.0 does not name it."""
    return [topic_need(request.topic, *PUB)] if request.topic else []


def consume_stats(request: Any) -> list[Need]:
    """Need ``Get`` on the group, and on the topics that are named."""
    topics = (request.topic_list or "").split(";") + [request.topic or ""]
    return [
        group_need(request.consumer_group, Action.GET),
        *(topic_need(topic, Action.GET) for topic in dict.fromkeys(topics) if topic),
    ]


def consumed_directly(request: Any) -> list[Need]:
    """Need what a consumer does, as it gets any message; and to change the group."""
    return [
        group_need(request.consumer_group, *SUB),
        group_need(request.consumer_group, Action.UPDATE),
        topic_need(request.topic or "*", *SUB),
    ]


def group_config(request: Any) -> list[Need]:
    """Need ``Update`` on the group in the body."""
    from rocketmq_tw.model.group import SubscriptionGroup
    from rocketmq_tw.wire.request_json import decode_request

    group = decode_request(request.body, SubscriptionGroup)
    return [group_need(group.group_name, Action.UPDATE)]


def group_configs(request: Any) -> list[Need]:
    """Need ``Update`` on all groups in the body."""
    from rocketmq_tw.wire.bodies.groups import SubscriptionGroupList

    groups = SubscriptionGroupList.decode_request(request.body).group_config_list
    names = dict.fromkeys(each.group_name for each in groups)
    return [group_need(name, Action.UPDATE) for name in names or ("*",)]


def topic_configs(request: Any) -> list[Need]:
    """Need ``Create`` on all topics in the body."""
    from rocketmq_tw.wire.bodies.topics import TopicConfigList

    topics = TopicConfigList.decode_request(request.body).topic_config_list
    names = dict.fromkeys(each.topic_name for each in topics)
    return [topic_need(name, Action.CREATE) for name in names or ("*",)]


def deleted_topics(request: Any) -> list[Need]:
    """Need ``Delete`` on all topics in the body."""
    from rocketmq_tw.wire.bodies.topics import TopicList

    names = dict.fromkeys(TopicList.decode_request(request.body).topic_list)
    return [topic_need(name or "*", Action.DELETE) for name in names or ("*",)]


def deleted_groups(request: Any) -> list[Need]:
    """Need ``Delete`` on all groups in the body."""
    from rocketmq_tw.wire.bodies.groups import DeletedGroups

    names = dict.fromkeys(DeletedGroups.decode_request(request.body).group_name_list)
    return [group_need(name or "*", Action.DELETE) for name in names or ("*",)]


def popped(request: Any) -> list[Need]:
    """Need ``Sub`` on the group, whose retry topics are its own, and on the topic."""
    group = group_need(request.consumer_group, *SUB)
    if request.topic.startswith(RETRY_PREFIX):
        return [group]  # what is in flight belongs to that group
    return [topic_need(request.topic, *SUB), group]


def popped_many(request: Any) -> list[Need]:
    """Need ``Sub`` on the groups and topics of all acknowledgements, or on all."""
    from rocketmq_tw.wire.bodies.pop import BatchAckMessageRequestBody

    needs: dict[Need, None] = {}
    for ack in BatchAckMessageRequestBody.decode_request(request.body).acks:
        needs[group_need(ack.consumer_group, *SUB)] = None
        needs[topic_need(ack.topic, *SUB)] = None
    return list(needs) or [group_need("*", *SUB)]


def assigned(request: Any) -> list[Need]:
    """Need ``Sub`` on the group and the topic whose queues are assigned."""
    from rocketmq_tw.wire.bodies.pop import QueryAssignmentRequestBody

    body = QueryAssignmentRequestBody.decode_request(request.body)
    return [group_need(body.consumer_group, *SUB), topic_need(body.topic, *SUB)]
