"""
The filters of subscriptions that come with the pulls themselves.

A consumer sends the same text with every pull, so its filter is kept. Texts come from
whoever reaches the port: their length is checked before anything is made of them, and
all that are kept together have a limit in characters, not in entries.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.filter.tags import matcher
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode

#: A test of tags codes; None lets everything pass.
Matches = Callable[[int], bool] | None

#: All texts that are kept have so many characters at most. A tag of one letter makes
#: some 25 bytes of filter for each of its characters, so this is 25 MB at worst.
KEPT_CHARACTERS = 1 << 20
#: What an entry counts besides its text.
_ENTRY = 100


class Filters:
    """
    Makes and keeps the filters of tag expressions.

    :param longest: the longest text, in characters, that is read.
    :param kept_characters: all kept texts are dropped before they become longer.
    :ivar held: the characters that are kept now.
    """

    def __init__(self, longest: int, kept_characters: int = KEPT_CHARACTERS) -> None:
        self._longest = longest
        self._kept_characters = kept_characters
        # By the text alone: the same tags pass whatever the topic is.
        self._filters: dict[str | None, Matches] = {}
        self.held = 0

    def of(self, topic: str, expression: str | None) -> Matches:
        """
        Return the filter of a tag expression.

        :raises Refused: the text is too long.
        :raises IllegalSubscription: it is no tag expression.
        """
        try:
            return self._filters[expression]
        except KeyError:
            return self._make(topic, expression)

    def _make(self, topic: str, expression: str | None) -> Matches:
        """Make a filter and keep it."""
        size = len(expression or "")
        if size > self._longest:
            raise Refused(
                ResponseCode.SUBSCRIPTION_PARSE_FAILED,
                f"the subscription has {size} characters;"
                f" at most {self._longest} are read (maxSubscriptionLength)",
            )
        made = matcher(parse(topic, expression, 0))
        size += _ENTRY
        if self.held + size > self._kept_characters:
            self._filters.clear()
            self.held = 0
        if size <= self._kept_characters:
            self._filters[expression] = made
            self.held += size
        return made
