"""Judges consumer groups: their members, how far they have read, and dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rocketmq_tw.admin.doctor.finding import Finding, finding
from rocketmq_tw.admin.results.groups import (
    GroupLag,
    GroupSummary,
    Member,
    SubscriptionOf,
)
from rocketmq_tw.admin.results.messages import DeadLetterQueue
from rocketmq_tw.model.topic import is_retry

#: Messages: a smaller lag comes and goes.
SMALL_LAG = 10

#: What a client subscribes to: expressions by topic.
Subscribed = Mapping[str, tuple[str, str]]


def subscribed(subscriptions: Iterable[SubscriptionOf]) -> Subscribed:
    """Return what counts of subscriptions: not those to messages that are retried."""
    return {
        each.topic: (each.type, each.expression)
        for each in subscriptions
        if not is_retry(each.topic)
    }


def subscriptions(
    group: str, members: Iterable[Member], said: Mapping[str, Subscribed]
) -> Iterator[Finding]:
    """
    Judge whether all members of a group subscribe to the same.

    :param said: what members say themselves, by client id.
    """
    conflicting = [member.client_id for member in members if member.conflicts]
    if not conflicting and len({_key(each) for each in said.values()}) > 1:
        counts: dict[object, list[str]] = {}
        for client, each in said.items():
            counts.setdefault(_key(each), []).append(client)
        most = max(counts.values(), key=len)
        conflicting = [client for client in said if client not in most]
    if conflicting:
        topics = sorted({topic for each in said.values() for topic in each})
        about = f" ({', '.join(topics)})" if topics else ""
        yield finding(
            "subscriptions-differ",
            group,
            f"{', '.join(sorted(conflicting))} subscribe otherwise than the rest of the"
            f" group{about}: messages are lost, for brokers know one subscription of a"
            " group, that of the last heartbeat",
            "let all consumers of a group subscribe to the same topics with the same"
            " expressions; others need a group of their own",
        )


def _key(each: Subscribed) -> tuple[tuple[str, tuple[str, str]], ...]:
    return tuple(sorted(each.items()))


def forbidden(group: GroupSummary, members: int) -> Iterator[Finding]:
    """Judge whether a group with consumers may consume."""
    if members and not group.may_consume:
        yield finding(
            "consuming-forbidden",
            group.name,
            f"{members} consumers are connected, and a broker lets the group read"
            " nothing",
            f"rocketmq-admin group update {group.name} --consume",
        )


def progress(before: GroupLag, after: GroupLag, seconds: float) -> Iterator[Finding]:
    """
    Judge a group by two looks.

    :param seconds: between them.
    """
    group = after.group
    if after.total <= SMALL_LAG:
        return
    if not after.members:
        yield finding(
            "nobody-consumes",
            group,
            f"{after.total:,} messages wait, and no consumer is connected",
            "start its consumers, or delete the group if it is not needed any more",
        )
        return
    if seconds <= 0:
        return  # two looks at once say nothing of the time between them
    moved = _committed(after) - _committed(before)
    if moved == 0 and before.total > SMALL_LAG:
        yield finding(
            "consumer-stands-still",
            group,
            f"{after.total:,} messages wait, {after.members} consumers are connected,"
            f" and none was consumed within {seconds:.0f} s",
            f"ask a consumer what it does: rocketmq-admin client show {group}"
            " CLIENT --stack; a handler may hang, or the first message fail for ever",
        )
    elif after.total > before.total:
        rate = (after.total - before.total) / seconds
        yield finding(
            "lag-grows",
            group,
            f"{after.total:,} messages wait, {rate:.1f} more each second: more are"
            " sent than consumed",
            "add consumers, up to one for each queue, or queues and consumers",
        )


def _committed(lag: GroupLag) -> int:
    return sum(queue.committed for queue in lag.queues)


def spare(group: str, members: Iterable[Member], lag: GroupLag) -> Iterator[Finding]:
    """Judge whether there are consumers without a queue."""
    pushing = [m for m in members if m.mode == "push" and m.model == "clustering"]
    queues = [queue for queue in lag.queues if not is_retry(queue.topic)]
    if queues and len(pushing) > len(queues):
        yield finding(
            "too-many-consumers",
            group,
            f"{len(pushing)} consumers share {len(queues)} queues:"
            f" {len(pushing) - len(queues)} have nothing to do",
            "add queues to the topic, or stop some consumers",
        )


def dead_letters(queue: DeadLetterQueue) -> Iterator[Finding]:
    """Judge whether a group has dead letters."""
    if queue.messages:
        yield finding(
            "dead-letters",
            queue.group,
            f"it has {queue.messages:,} dead letters",
            f"look at them (rocketmq-admin dlq show {queue.group}), repair the"
            " consumer, and send them again"
            f" (rocketmq-admin dlq resend {queue.group} --all)",
        )
