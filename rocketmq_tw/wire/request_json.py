"""
Decodes the JSON bodies of requests, at a bounded cost.

A server reads what anybody sends. Up to :data:`SMALL` bytes are read like all JSON
(:mod:`rocketmq_tw.wire.fastjson`): at worst as bare integer keys, which take 8 ms. What
is larger, up to the 1 MiB that a request may have, is read more strictly. Every client
writes such bodies in strict JSON, references aside; so they have to be that. And values
that are not written as their declaration says are converted only if there are few.

======================= ============================= ====================
of 1 MiB                like all JSON                 as here
======================= ============================= ====================
a heartbeat             18 ms                         20 ms
bare integer keys       127 ms                        refused after 1 ms
an error at the end     35 to 100 ms                  refused after 2 ms
texts instead of lists  45 ms                         refused after 2 ms
======================= ============================= ====================

The figures are those of a quiet machine; tests count calls and values instead.

Source: none; Apache RocketMQ has threads for each kind of request.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.coerce import coerce
from rocketmq_tw.wire.errors import BadField, MalformedJson

_T = TypeVar("_T")

#: Bytes of a body that is read like all JSON.
SMALL = 1 << 16
#: Bytes of the largest body.
LARGEST = 1 << 20
#: The most values of one that is not small that are converted one by one: some 1 us
#: each. The heartbeat of a client in Go, with a thousand groups, has 22,000.
MAX_VALUES = 1 << 15
#: The most values of one that is not small and has references.
MAX_REFERRED = 1 << 14

_NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_BYTE = re.compile(r"byte ([0-9]++)")


def decode_request(data: bytes, kind: type[_T]) -> _T:
    """
    Decode the body of a request.

    :param kind: as of :func:`rocketmq_tw.wire.fastjson.decode_as`.
    :raises MalformedJson: the text is not JSON, or large and not strict JSON.
    :raises BadField: a member cannot be converted to its declared type, or too many
        would have to be.
    """
    if len(data) <= SMALL:
        return fastjson.decode_as(data, kind)
    if len(data) > LARGEST:
        found = f"{len(data)} bytes of JSON"
        raise BadField(kind.__name__, found, f"at most {LARGEST}")
    _check_strict(data)
    if fastjson.REFERENCE in data:
        from rocketmq_tw.wire import lenient_json

        value = lenient_json.read(data.decode(), max_nodes=MAX_REFERRED)
        return coerce(value, kind)
    if not fastjson.has_long_number(data):
        try:
            return msgspec.json.decode(data, type=kind, strict=False)
        except _NOT_JSON:
            pass
    _check_few(data, kind)
    value = msgspec.json.decode(data)
    return coerce(value, kind)


def _check_strict(data: bytes) -> None:
    """
    Scan a text without making its values.

    :raises MalformedJson: it is not strict JSON.
    """
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
        if not data.isascii():
            data.decode()
    except _NOT_JSON as error:
        found = _BYTE.search(str(error))
        at = int(found[1]) if found else 0
        raise MalformedJson(
            at, f"{len(data)} bytes have to be strict JSON: {error!s:.80}"
        ) from None


def _check_few(data: bytes, kind: type) -> None:
    """
    Count values, and what may be one.

    :raises BadField: there are too many.
    """
    values = data.count(b",") + data.count(b"[") + data.count(b"{")
    if values > MAX_VALUES:
        raise BadField(
            kind.__name__,
            f"not written as declared, with {values} values",
            f"at most {MAX_VALUES} to convert",
        )
