"""
What all JSON bodies have in common: how they become text, and how text becomes them.

A body is declared once, as a struct whose fields carry Java's names in camel case. The
odd names (``clientID``, ``lockOKMQSet``) are spelt by :func:`camel_but`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import msgspec

from rocketmq_tw.wire import fastjson


class Body(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON body. Unknown keys are ignored, absent ones have Java's defaults."""

    def encode(self) -> bytes:
        """Write compact JSON that every Java peer reads: object keys alone are bare."""
        return fastjson.dumps(self)

    def encode_lenient(self) -> bytes:
        """Write as Java does, integer and object keys bare: for Go's parsers."""
        return fastjson.dumps_lenient(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Read strict or lenient JSON.

        :raises MalformedJson: the text is not JSON.
        :raises BadField: a member cannot be converted to its declared type.
        """
        return fastjson.decode_as(data, cls)


def camel(name: str) -> str:
    """Write a field's name as Java would: ``queue_id`` is ``queueId``."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def camel_but(**odd: str) -> Callable[[str], str]:
    """Make a renaming to camel case in which some fields have names of their own."""
    return lambda name: odd.get(name) or camel(name)
