"""
Fit plain objects, as JSON gives them, into declared types, as tolerantly as Java does.

Peers write numbers as text, enums as ordinals, null for an absent list, lists of pairs
for tables; what they mean is always clear from the declared type. Unknown keys are
ignored, unknown names of enums are null, nulls leave the declared default.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache, partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from rocketmq_tw.wire.errors import BadField

_Fit = Callable[[Any], Any]
_LONG = 1 << 63


class _Misfit(ValueError):
    """A value does not fit; the place is added where it is known."""


def shape(value: Any, kind: Any) -> Any:
    """
    Make an instance of a type from plain objects.

    :param kind: a ``msgspec.Struct``, a container of them, or a plain type.
    :raises BadField: a member is absent that has no default, or does not fit.
    """
    try:
        return _fit_for(kind)(value)
    except _Misfit as misfit:
        name = getattr(kind, "__name__", str(kind))
        raise BadField(name, str(misfit), name) from None


@lru_cache(maxsize=512)
def _fit_for(kind: Any) -> _Fit:
    """Choose, once for each type, the function that fits values to it."""
    origin = get_origin(kind) or kind
    if origin in (UnionType, Union):
        inner = [arg for arg in get_args(kind) if arg is not NoneType]
        return partial(_fit_optional, fit=_fit_for(inner[0]))
    if origin in (list, tuple, set, frozenset):
        items = get_args(kind)
        return partial(_fit_list, make=origin, fit=_fit_for(items[0] if items else Any))
    if origin is dict:
        key, item = get_args(kind) or (str, Any)
        return partial(_fit_table, fit_key=_fit_for(key), fit=_fit_for(item))
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return partial(_fit_struct, kind=origin)
    if isinstance(origin, type) and issubclass(origin, Enum):
        return partial(_fit_enum, kind=origin)
    return _SCALARS.get(origin, _fit_any)


def _fit_any(value: Any) -> Any:
    """Take the value as it is."""
    return value


def _fit_optional(value: Any, fit: _Fit) -> Any:
    """Let null be null."""
    return None if value is None else fit(value)


def _fit_list(value: Any, make: type, fit: _Fit) -> Any:
    """Fit each item; null is the empty list, null items and unknown enums go."""
    if value is None:
        return make()
    if not isinstance(value, list):
        raise _Misfit(f"{value!r:.80} instead of a list")
    return make([item for each in value if (item := fit(each)) is not None])


def _fit_table(value: Any, fit_key: _Fit, fit: _Fit) -> Any:
    """Fit keys and values; null is the empty table; pairs in a list do too."""
    if value is None:
        return {}
    if isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    ):
        pairs = [(key, each) for key, each in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise _Misfit(f"{value!r:.80} instead of a table")
    return {fit_key(key): fit(each) for key, each in pairs if each is not None}


@lru_cache(maxsize=512)
def _members(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, _Fit, bool], ...]:
    """List a struct's members: name, wire name, fit, and whether it has a default."""
    return tuple(
        (field.name, field.encode_name, _fit_for(field.type), not field.required)
        for field in msgspec.structs.fields(kind)
    )


def _fit_struct(value: Any, kind: type[msgspec.Struct]) -> Any:
    """Fit an object's members; an object key arrives as its JSON text."""
    if isinstance(value, str) and value.startswith("{"):
        value = _fit_key(value)
    if not isinstance(value, dict):
        raise _Misfit(f"{value!r:.80} instead of an object")
    members = {}
    for name, wire_name, fit, has_default in _members(kind):
        each = value.get(wire_name)
        if each is None and has_default:
            continue
        try:
            fitted = fit(each)
        except _Misfit as misfit:
            raise _Misfit(f"{wire_name}: {misfit}") from None
        if fitted is not None or not has_default:
            members[name] = fitted
    return kind(**members)


def _fit_key(text: str) -> Any:
    """Read an object key, which the JSON readers give as strict text."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise _Misfit(f"{text!r:.80} instead of an object") from None


def _fit_enum(value: Any, kind: type[Enum]) -> Any:
    """Fit a name or an ordinal; None for what is unknown."""
    if isinstance(value, str):
        for member in kind:
            if value in (member.value, member.name):
                return member
    elif isinstance(value, int) and 0 <= value < len(kind):
        return list(kind)[value]
    return None


def _fit_int(value: Any) -> int:
    """Fit a number, a text of one, or a boolean; it must be a Java long."""
    try:
        number = int(value)
    except ValueError:
        number = _whole(value)
    except (TypeError, OverflowError):
        raise _Misfit(f"{value!r:.80} instead of a number") from None
    if not -_LONG <= number < _LONG or (isinstance(value, float) and value != number):
        raise _Misfit(f"{value!r:.80} instead of an integer")
    return number


def _whole(value: Any) -> int:
    """Read texts such as ``105.0`` and ``1e2``."""
    number = _fit_float(value)
    if not number.is_integer():
        raise _Misfit(f"{value!r:.80} instead of an integer")
    return int(number)


def _fit_float(value: Any) -> float:
    """Fit a number or a text of one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise _Misfit(f"{value!r:.80} instead of a number") from None


def _fit_bool(value: Any) -> bool:
    """Fit a boolean, a number (1 is true) or a text of either."""
    if isinstance(value, str):
        return value.lower() in ("true", "1", "y", "t")
    if isinstance(value, (bool, int)):
        return value == 1
    raise _Misfit(f"{value!r:.80} instead of a boolean")


def _fit_str(value: Any) -> str:
    """Fit text; anything else becomes its JSON text, as in Java."""
    if isinstance(value, str):
        return value
    if value is None:
        raise _Misfit("absent")
    return msgspec.json.encode(value).decode()


_SCALARS: dict[Any, _Fit] = {
    int: _fit_int,
    float: _fit_float,
    bool: _fit_bool,
    str: _fit_str,
}
