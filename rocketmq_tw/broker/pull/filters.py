"""
The filters of subscriptions that come with the pulls themselves.

A consumer sends the same text with every pull, so its filter is kept. Texts come from
whoever reaches the port: their length is checked before anything is made of them, and
all that are kept together have a limit in characters, not in entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rocketmq_tw.filter.tags import matcher
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.subscription import SQL92, IllegalSubscription, parse
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode

if TYPE_CHECKING:
    from rocketmq_tw.broker.pull.sql_records import SqlRecords

#: A test of tags codes; None lets everything pass.
Matches = Callable[[int], bool] | None

#: All texts that are kept have so many characters at most. A tag of one letter makes
#: some 25 bytes of filter for each of its characters, so this is 25 MB at worst.
KEPT_CHARACTERS = 1 << 20
#: What an entry counts besides its text, and each part of an SQL92 expression.
_ENTRY = 100
_PART = 25


class Filters:
    """
    Makes and keeps the filters of tag expressions, and of SQL92 expressions.

    :param longest: the longest text, in characters, that is read.
    :param kept_characters: all kept texts are dropped before they become longer.
    :param allows_sql: whether messages may be filtered by their properties.
    :ivar held: the characters that are kept now.
    """

    def __init__(
        self,
        longest: int,
        kept_characters: int = KEPT_CHARACTERS,
        allows_sql: bool = True,
    ) -> None:
        self._longest = longest
        self._allows_sql = allows_sql
        self._kept_characters = kept_characters
        # By the text alone: the same tags pass whatever the topic is.
        self._filters: dict[str | None, Matches] = {}
        self._sql: dict[str | None, SqlRecords] = {}
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

    def sql(self, expression: str | None, expression_type: str) -> SqlRecords:
        """
        Return the filter of an SQL92 expression.

        :raises Refused: the text is too long, or no filter by properties is allowed.
        :raises IllegalSubscription: it is no such expression, or of an unknown type.
        """
        if not self._allows_sql:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                "The broker does not support consumer to filter message by"
                f" {log_safe(expression_type)} (enablePropertyFilter)",
            )
        if expression_type != SQL92:
            why = f"its type is {log_safe(expression_type)}; expected TAG or SQL92"
            raise IllegalSubscription(expression or "", why)
        known = self._sql.get(expression)
        return self._make_sql(expression or "") if known is None else known

    def _make_sql(self, expression: str) -> SqlRecords:
        """Compile an expression and keep it."""
        # Most brokers never need them: they start sooner, and smaller.
        from rocketmq_tw.broker.pull.sql_records import SqlRecords
        from rocketmq_tw.filter.sql92.compiler import compile_sql

        self._check_length(len(expression))
        made = SqlRecords(compile_sql(expression))
        size = len(expression) + _PART * made.cost + _ENTRY
        if self._make_room(size):
            self._sql[expression] = made
        return made

    def _check_length(self, size: int) -> None:
        """:raises Refused: a text has too many characters."""
        if size > self._longest:
            raise Refused(
                ResponseCode.SUBSCRIPTION_PARSE_FAILED,
                f"the subscription has {size} characters;"
                f" at most {self._longest} are read (maxSubscriptionLength)",
            )

    def _make_room(self, size: int) -> bool:
        """Drop all if another entry makes them too many; return whether it is kept."""
        if self.held + size > self._kept_characters:
            self._filters.clear()
            self._sql.clear()
            self.held = 0
        if size > self._kept_characters:
            return False
        self.held += size
        return True

    def _make(self, topic: str, expression: str | None) -> Matches:
        """Make a filter and keep it."""
        size = len(expression or "")
        self._check_length(size)
        made = matcher(parse(topic, expression, 0))
        if self._make_room(size + _ENTRY):
            self._filters[expression] = made
        return made
