"""
Converts decoded JSON to declared types, as tolerantly as Java does.

Peers write numbers as text, enums as ordinals, null for an absent list, lists of pairs
for tables; the declared type shows what they mean. Unknown keys are ignored, unknown
names of enums become null, nulls leave the declared default.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from rocketmq_tw.wire.errors import BadField

_Convert = Callable[[Any], Any]
_T = TypeVar("_T")
#: Name, name on the wire, conversion, and whether there is a default.
_Member = tuple[str, str, _Convert, bool]
_LONG = 1 << 63


class _Unconvertible(ValueError):
    """A value cannot be converted; the path to it is added by the callers."""


def coerce(value: object, kind: type[_T]) -> _T:
    """
    Return an instance of a type, made from decoded JSON.

    :param kind: a ``msgspec.Struct``, a container of them, or a plain type.
    :raises BadField: a member cannot be converted, or is absent without a default.
    """
    declared: Any = kind  # mypy does not accept type[_T] as hashable
    try:
        converted: _T = _converter(declared)(value)
        return converted
    except _Unconvertible as error:
        name = getattr(kind, "__name__", str(kind))
        raise BadField(name, str(error), name) from None


@lru_cache(maxsize=512)
def _converter(kind: Any) -> _Convert:
    """Return the function that converts values to a type; cached for each type."""
    origin = get_origin(kind) or kind
    if origin in (UnionType, Union):
        inner = [arg for arg in get_args(kind) if arg is not NoneType]
        return partial(_to_optional, convert=_converter(inner[0]))
    if origin in (list, tuple, set, frozenset):
        items = get_args(kind)
        item = items[0] if items else Any
        return partial(_to_list, make=origin, convert=_converter(item))
    if origin is dict:
        key, item = get_args(kind) or (str, Any)
        return partial(_to_table, convert_key=_converter(key), convert=_converter(item))
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return partial(_to_struct, kind=origin)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return partial(_to_enum, kind=origin)
    return _SCALARS.get(origin, _as_it_is)


def _as_it_is(value: Any) -> Any:
    """Return the value unchanged."""
    return value


def _to_optional(value: Any, convert: _Convert) -> Any:
    """Keep null; convert anything else."""
    return None if value is None else convert(value)


def _to_list(value: Any, make: type, convert: _Convert) -> Any:
    """
    Convert each item; null is the empty list, null items and unknown enums are dropped.
    """
    if value is None:
        return make()
    if not isinstance(value, list):
        raise _Unconvertible(f"{_seen(value)} instead of a list")
    return make([item for each in value if (item := convert(each)) is not None])


def _to_table(value: Any, convert_key: _Convert, convert: _Convert) -> Any:
    """Convert keys and values; null is the empty table; a list of pairs is accepted."""
    if value is None:
        return {}
    if isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    ):
        pairs = [(key, each) for key, each in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise _Unconvertible(f"{_seen(value)} instead of a table")
    return {convert_key(key): convert(each) for key, each in pairs if each is not None}


@lru_cache(maxsize=512)
def _members(kind: type[msgspec.Struct]) -> tuple[_Member, ...]:
    """Return the members of a struct, each with its conversion."""
    return tuple(
        (field.name, field.encode_name, _converter(field.type), not field.required)
        for field in msgspec.structs.fields(kind)
    )


def _to_struct(value: Any, kind: type[msgspec.Struct]) -> Any:
    """Convert an object's members; an object used as a key is its JSON text."""
    if isinstance(value, str) and value.startswith("{"):
        value = _read_key(value)
    if not isinstance(value, dict):
        raise _Unconvertible(f"{_seen(value)} instead of an object")
    members = {}
    for name, wire_name, convert, has_default in _members(kind):
        each = value.get(wire_name)
        if each is None and has_default:
            continue
        try:
            converted = convert(each)
        except _Unconvertible as error:
            raise _Unconvertible(f"{wire_name}: {error}") from None
        if converted is not None or not has_default:
            members[name] = converted
    return kind(**members)


def _read_key(text: str) -> Any:
    """Decode an object key, which the JSON readers return as strict text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise _Unconvertible(f"{_seen(text)} instead of an object") from None


def _to_enum(value: Any, kind: type[Enum]) -> Any:
    """Convert a name or an ordinal; None for an unknown one."""
    if isinstance(value, str):
        for member in kind:
            if value in (member.value, member.name):
                return member
    elif isinstance(value, int) and 0 <= value < len(kind):
        return list(kind)[value]
    return None


def _seen(value: Any) -> str:
    """Write the beginning of a value, without looking at all of a large one."""
    if isinstance(value, (dict, list)):
        kind = "an object" if isinstance(value, dict) else "a list"
        return f"{kind} of {len(value)}"
    return repr(value[:80])[:80] if isinstance(value, str) else f"{value!r:.80}"


def _to_int(value: Any) -> int:
    """Convert a number, a text of one, or a boolean; it must be a Java long."""
    try:
        number = int(value)
    except ValueError:
        number = _whole(value)
    except (TypeError, OverflowError):
        raise _Unconvertible(f"{_seen(value)} instead of a number") from None
    if not -_LONG <= number < _LONG or (isinstance(value, float) and value != number):
        raise _Unconvertible(f"{_seen(value)} instead of an integer")
    return number


def _whole(value: Any) -> int:
    """Convert texts such as ``105.0`` and ``1e2``."""
    number = _to_float(value)
    if not number.is_integer():
        raise _Unconvertible(f"{_seen(value)} instead of an integer")
    return int(number)


def _to_float(value: Any) -> float:
    """Convert a number or a text of one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _Unconvertible(f"{_seen(value)} instead of a number") from None


def _to_bool(value: Any) -> bool:
    """Convert a boolean, a number (1 is true) or a text of either."""
    if isinstance(value, str):
        return value.lower() in ("true", "1", "y", "t")
    if isinstance(value, (bool, int)):
        return value == 1
    raise _Unconvertible(f"{_seen(value)} instead of a boolean")


def _to_str(value: Any) -> str:
    """Convert to text; anything but text becomes its JSON text, as in Java."""
    if isinstance(value, str):
        return value
    if value is None:
        raise _Unconvertible("absent")
    return msgspec.json.encode(value).decode()


_SCALARS: dict[Any, _Convert] = {
    int: _to_int,
    float: _to_float,
    bool: _to_bool,
    str: _to_str,
}
