"""What the declarations say, in words: types, defaults, docstrings."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from rocketmq_tw.wire import requests
from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import DECLARED

for _module in pkgutil.iter_modules(requests.__path__):
    importlib.import_module(f"{requests.__name__}.{_module.name}")

_SCALARS = {
    int: "integer",
    float: "number",
    bool: "boolean",
    str: "text",
    bytes: "bytes",
    Any: "any",
}
_INT32 = 1 << 31
_IVAR = re.compile(r"^:ivar (\w+):[ \t]*((?:.*\n?)(?:[ \t]+.*\n?)*)", re.MULTILINE)
_SOURCE = re.compile(r"^Source: (.*(?:\n.+)*)", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")


def type_name(kind: Any) -> str:
    """Name a type as a reader of another language understands it."""
    origin = get_origin(kind)
    if origin is Annotated:
        (limits,) = kind.__metadata__
        return "int32" if limits.ge == -_INT32 else "int64"
    inner = [arg for arg in get_args(kind) if arg not in (NoneType, ...)]
    if origin in (Union, UnionType):
        return type_name(inner[0])
    if origin in (list, tuple, set, frozenset):
        return f"array of {type_name(inner[0])}"
    if origin is dict:
        return f"object ({type_name(inner[0])} to {type_name(inner[1])})"
    if isinstance(kind, type) and issubclass(kind, (msgspec.Struct, Enum)):
        return f":ref:`{kind.__name__} <{label(kind)}>`"
    return _SCALARS[kind]


def label(kind: type) -> str:
    """Name the place in the documents where a body's type is described."""
    return f"body-{kind.__name__.lower()}"


def parts(kind: Any) -> Iterator[type]:
    """Find the structs and enums that a type is made of."""
    if isinstance(kind, type) and issubclass(kind, (msgspec.Struct, Enum)):
        yield kind
    for argument in get_args(kind):
        yield from parts(argument)


def absent(field: msgspec.structs.FieldInfo) -> str:
    """Say what the absence of a field means: an error, nothing, or a value."""
    if field.required:
        return "required"
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    if default is None:
        return ""
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, (bool, int, float)):
        return str(default).lower()
    if isinstance(default, str):
        return f'``"{default}"``' if default else "empty"
    return "empty" if not isinstance(default, msgspec.Struct) else "all absent"


def described(kind: type) -> tuple[str, str]:
    """Give the text of a docstring, and the source it names."""
    text = inspect.cleandoc(kind.__doc__ or "")
    source = _SOURCE.search(text)
    text = _SOURCE.sub("", _IVAR.sub("", text)).strip()
    return _plain(text), _joined(source[1]).rstrip(".") if source else ""


def meanings(kind: type) -> dict[str, str]:
    """Collect what is said of each field: ``:ivar`` fields and ``#:`` comments."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("rocketmq_tw."):
            text = inspect.cleandoc(each.__doc__ or "")
            found.update((name, _joined(said)) for name, said in _IVAR.findall(text))
            found.update(_comments(each))
    return {name: _plain(text) for name, text in found.items()}


def _comments(kind: type) -> Iterator[tuple[str, str]]:
    """Read the ``#:`` comments above the fields of a class."""
    said: list[str] = []
    for line in textwrap.dedent(inspect.getsource(kind)).splitlines():
        stripped = line.strip()
        if stripped.startswith("#:"):
            said.append(stripped[2:].strip())
            continue
        field = re.match(r"(\w+):", stripped)
        if said and field:
            yield field[1], " ".join(said)
        said = []


def _joined(text: str) -> str:
    """Put lines together."""
    return " ".join(text.split())


def _plain(text: str) -> str:
    """Replace references into the code: a request by its code, others by their name."""
    codes = {each.__name__: each.code for each in DECLARED.values()}

    def replace(found: re.Match[str]) -> str:
        code = codes.get(found[1])
        if code is None:
            return f"``{found[1]}``"
        return f"{RequestCode(code).name} ({int(code)})"

    return _ROLE.sub(replace, text)
