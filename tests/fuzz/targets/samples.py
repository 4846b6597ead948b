"""Documents made from declarations: each member has a value of its type."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from rocketmq_tw.wire.fields import Ext, Request

_SCALARS: dict[Any, Any] = {
    int: 7,
    float: 1.5,
    bool: True,
    str: "text",
    bytes: b"bytes",
    object: {"any": [1, "x", None]},
    Any: {"any": [1, "x", None]},
}


def sample(kind: Any) -> Any:
    """Make a value of a type, as :func:`msgspec.json.encode` takes it."""
    origin = get_origin(kind) or kind
    arguments = get_args(kind)
    make = _CONTAINERS.get(origin)
    if make is not None:
        return make(arguments)
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return {
            field.encode_name: sample(field.type)
            for field in msgspec.structs.fields(origin)
        }
    if isinstance(origin, type) and issubclass(origin, Enum):
        return next(iter(origin)).value
    return _SCALARS.get(origin, "text")


def _first(arguments: tuple[Any, ...]) -> Any:
    """Make a value of the first type that is not None."""
    return sample(next(each for each in arguments if each is not type(None)))


def _items(arguments: tuple[Any, ...]) -> Any:
    """Make a list of two."""
    return [sample(arguments[0] if arguments else str)] * 2


def _table(arguments: tuple[Any, ...]) -> Any:
    """Make a table of one entry; an object as a key is written as its text."""
    key_kind, kind = arguments or (str, str)
    key = sample(key_kind)
    if isinstance(key, dict):
        key = msgspec.json.encode(key).decode()
    return {str(key): sample(kind)}


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...]], Any]] = {
    Annotated: lambda arguments: sample(arguments[0]),
    UnionType: _first,
    Union: _first,
    list: _items,
    tuple: _items,
    set: _items,
    frozenset: _items,
    dict: _table,
}


def document(kind: Any) -> bytes:
    """Make a JSON document of a type."""
    return msgspec.json.encode(sample(kind))


def ext_of(kind: type[Request[Any]]) -> Ext:
    """Make the fields of a request as texts."""
    return {
        field.encode_name: _text(sample(field.type))
        for field in msgspec.structs.fields(kind)
        if not field.encode_name.startswith("//")
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
