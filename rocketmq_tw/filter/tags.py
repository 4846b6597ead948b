"""
Filters messages by tags: by hash code at the broker, by text at the client.

Two tags may have the same hash code, so the client, which has the text, filters again.

Source: ``ExpressionMessageFilter.isMatchedByConsumeQueue`` and ``PullAPIWrapper`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.model.subscription import ALL, Subscription


def matcher(subscription: Subscription | None) -> Callable[[int], bool] | None:
    """
    Return the test for the tags codes of consume queue entries.

    :returns: a function of the signed tags code; None if all messages match, which
        includes SQL92 subscriptions: these are not filtered by tags.

    An entry without tags has code 0 and matches no tag expression, unless a tag's hash
    is 0.
    """
    if subscription is None or subscription.class_filter_mode:
        return None
    if not subscription.is_tag or subscription.sub_string in ("", ALL):
        return None
    return subscription.code_set.__contains__


def count_tags(test: Callable[[int], bool] | None) -> int:
    """Return how many tags a test that :func:`matcher` made compares with."""
    return 0 if test is None else len(getattr(test, "__self__", ()))


def accepts(subscription: Subscription, tag: str | None) -> bool:
    """
    Return whether a message with this tag matches, compared by text.

    If the subscription has tags, a message without a tag does not match.
    """
    if not subscription.tags_set or subscription.class_filter_mode:
        return True
    return tag is not None and tag in subscription.tags_set
