"""
Filtering by tags: by hash code at the broker, by text at the client.

Two tags may share a hash code, so what passes the broker is filtered once more by the
client, which has the text.

Source: ``ExpressionMessageFilter.isMatchedByConsumeQueue`` and ``PullAPIWrapper`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.model.subscription import ALL, Subscription


def matcher(subscription: Subscription | None) -> Callable[[int], bool] | None:
    """
    Make the test for the tags codes of consume queue entries.

    :returns: a function of the signed tags code; None when everything passes, which
        includes SQL92 subscriptions: those are not decided by tags.

    An entry without tags has code 0 and passes no tag expression, unless a tag hashes
    to 0.
    """
    if subscription is None or subscription.class_filter_mode:
        return None
    if not subscription.is_tag or subscription.sub_string in ("", ALL):
        return None
    return subscription.code_set.__contains__


def accepts(subscription: Subscription, tag: str | None) -> bool:
    """
    Decide by text, as a client does, whether a message with this tag is wanted.

    With a tag set, a message without a tag is dropped. Without one everything passes.
    """
    if not subscription.tags_set or subscription.class_filter_mode:
        return True
    return tag is not None and tag in subscription.tags_set
