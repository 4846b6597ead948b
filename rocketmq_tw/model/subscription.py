"""
What a consumer group reads of a topic: an expression, its tags and their hash codes.

A consume queue entry holds only the hash code of a message's tags, so a broker filters by
hash and a client filters again by text. The hash is Java's ``String.hashCode``.

Source: ``SubscriptionData`` and ``FilterAPI`` of RocketMQ 5.
"""

from __future__ import annotations

from functools import lru_cache

#: The expression that lets every message pass.
ALL = "*"
#: Expression types. They are text on the wire, not an enum; null and empty count as TAG.
TAG = "TAG"
SQL92 = "SQL92"


@lru_cache(maxsize=65536)
def java_hash(text: str) -> int:
    """
    Hash a text as Java does: s[0]*31^(n-1) + ... over its UTF-16 units.

    :returns: a signed 32-bit number; 0 for the empty text.

    Source: ``java.lang.String.hashCode``.
    """
    value = 0
    raw = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(raw[::2], raw[1::2], strict=True):
        value = (value * 31 + (high << 8 | low)) & 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def tags_code(tags: str | None) -> int:
    """
    Compute the code that a consume queue entry holds for a message's TAGS property.

    :returns: the Java hash of the whole text; 0 when there are no tags.

    Source: ``MessageExtBrokerInner.tagsString2tagsCode``.
    """
    return java_hash(tags) if tags else 0
