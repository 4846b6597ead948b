"""
What consumers subscribe with: tags, or an expression over the properties of messages.

Source: ``MessageSelector`` and ``FilterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.client.errors import ValidationError
from rocketmq_tw.model.subscription import SQL92, Subscription, parse, parse_as


class Tags(str):
    """An expression that matches messages with any of the tags: ``Tags("A", "B")``."""

    def __new__(cls, *tags: str) -> Tags:
        """
        Build the expression.

        :raises ValidationError: there is no tag, or one is not legal in an expression.
        """
        if not tags:
            raise ValidationError("Tags() needs a tag; subscribe to '*' for everything")
        for tag in tags:
            if not tag.strip() or "||" in tag or tag.strip() == "*":
                raise ValidationError(f'"{tag}" cannot be a tag')
        return super().__new__(cls, " || ".join(tags))


class Sql(str):
    """
    An SQL92 expression over properties: ``Sql("amount > 100 AND region = 'eu'")``.

    It is compiled at once, as brokers compile it: a broker gives a consumer whose
    expression is wrong all messages.
    """

    def __new__(cls, expression: str) -> Sql:
        """
        Check the expression.

        :raises IllegalSubscription: it is wrong, too long or nested too deep.
        """
        # Not for the consumers who need it not.
        from rocketmq_tw.filter.sql92.compiler import compile_sql

        compile_sql(expression)
        return super().__new__(cls, expression)


def parse_expression(topic: str, expression: str, version: int) -> Subscription:
    """
    Return the subscription to a topic.

    :param expression: ``*``, tags separated by ``||``, a :class:`Tags` or a
        :class:`Sql`.
    :param version: the time of the subscription in ms; the higher one wins.
    :raises IllegalSubscription: it contains no tag.
    """
    if isinstance(expression, Sql):
        return parse_as(topic, str(expression), SQL92, version)
    return parse(topic, str(expression), version)
