"""
The base of all JSON bodies: how they are encoded and decoded.

A body is declared once, as a struct. Its fields get Java's names in camel case;
irregular names (``clientID``, ``lockOKMQSet``) are given with :func:`camel_but`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import msgspec

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.request_json import decode_request


class Body(msgspec.Struct, frozen=True, rename="camel"):
    """A JSON body. Unknown keys are ignored, absent ones have Java's defaults."""

    def encode(self) -> bytes:
        """
        Encode as compact JSON that every Java peer reads: only object keys are bare.
        """
        return fastjson.dumps(self)

    def encode_lenient(self) -> bytes:
        """Encode like Java, with bare integer and object keys: for Go's parsers."""
        return fastjson.dumps_lenient(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Decode strict or lenient JSON.

        :raises MalformedJson: the text is not JSON.
        :raises BadField: a member cannot be converted to its declared type.
        """
        return fastjson.decode_as(data, cls)

    @classmethod
    def decode_request(cls, data: bytes) -> Self:
        """
        Decode the body of a request: large ones have to be strict JSON.

        :raises MalformedJson: the text is not JSON.
        :raises BadField: a member cannot be converted to its declared type.
        """
        return decode_request(data, cls)


def camel(name: str) -> str:
    """Convert a field's name to Java's form: ``queue_id`` becomes ``queueId``."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def camel_but(**odd: str) -> Callable[[str], str]:
    """Return a renaming to camel case in which some fields have other names."""
    return lambda name: odd.get(name) or camel(name)
