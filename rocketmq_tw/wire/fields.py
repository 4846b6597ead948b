"""
The declared fields of requests and responses, and their form in the header
(``extFields``).

A request is declared once, as a struct; both ends use the declaration::

    class GetMaxOffset(Request[OffsetResponse]):
        code: ClassVar = RequestCode.GET_MAX_OFFSET
        topic: str
        queue_id: int

Wire names are made from the names of the fields (``queue_id`` becomes ``queueId``);
irregular ones are given with ``msgspec.field(name=...)``. On the wire every value is
text; ``None`` is omitted.

Source: ``CommandCustomHeader`` and ``RemotingCommand.decodeCommandCustomHeader``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

import msgspec

from rocketmq_tw.wire.errors import BadField

Ext = dict[str, str]

#: Java's ``int`` and ``long``: numbers that are stored in a record or a file must be
#: checked before.
Int32 = Annotated[int, msgspec.Meta(ge=-(1 << 31), le=(1 << 31) - 1)]
Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


class Fields(msgspec.Struct, rename="camel", kw_only=True):
    """
    The fields of a request or a response, with its body.

    :ivar body: the bytes behind the header. Its wire name can never occur in a header.
    """

    body: bytes = msgspec.field(default=b"", name="//body")


class Response(Fields, kw_only=True):
    """
    The response to a request; its header fields are declared in a subclass.

    :ivar status: the response code, see :class:`~rocketmq_tw.wire.codes.ResponseCode`.
    :ivar remark: a text for users; Apache RocketMQ sends none with success.
    """

    status: int = msgspec.field(default=0, name="//code")
    remark: str | None = msgspec.field(default=None, name="//remark")


A = TypeVar("A", bound=Response)

#: Every declared request by its code.
DECLARED: dict[int, type[Request[Any]]] = {}


class Request(Fields, Generic[A], kw_only=True):
    """
    The base class of all requests.

    :cvar code: the request code.
    :cvar accepted: the response codes that are not errors.
    :cvar response_type: the class in the subscript, as in ``Request[OffsetResponse]``.
    :cvar decode_response: decodes the header of a usual response without a body in one
        pass, see :class:`~rocketmq_tw.remoting.pending.PendingCalls`; None where that
        is not worth it.
    """

    code: ClassVar[int]
    accepted: ClassVar[frozenset[int]] = frozenset({0})
    response_type: ClassVar[type[Response]] = Response
    decode_response: ClassVar[Callable[[bytes], Any] | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            arguments = get_args(base)
            if arguments and isinstance(arguments[0], type):
                cls.response_type = arguments[0]
        if "code" in cls.__dict__:
            DECLARED[int(cls.__dict__["code"])] = cls


@cache
def layout(kind: type[Fields]) -> tuple[tuple[str, str], ...]:
    """Return name and wire name of all fields in the header."""
    return tuple(
        (field.name, field.encode_name)
        for field in msgspec.structs.fields(kind)
        if not field.encode_name.startswith("//")
    )


def to_ext(values: Fields) -> Ext:
    """Encode the fields as the texts in ``extFields``."""
    ext: Ext = {}
    for name, wire_name in layout(type(values)):
        value = getattr(values, name)
        if value is None:
            continue
        if value.__class__ is bool:
            ext[wire_name] = "true" if value else "false"
        else:
            ext[wire_name] = str(value)
    return ext


F = TypeVar("F", bound=Fields)
_WHERE = re.compile(r"`\$\.?([^`]*)`$")
#: The texts that msgspec accepts as a boolean.
_BOOLEAN_TEXTS = frozenset(("true", "false", "1", "0"))
_MISSING = re.compile(r"missing required field `([^`]*)`")


def from_ext(kind: type[F], ext: Ext) -> F:
    """
    Convert the texts in ``extFields`` to fields; unknown ones are ignored.

    :raises BadField: one is missing or cannot be converted.
    """
    try:
        return msgspec.convert(ext, kind, strict=False)
    except msgspec.ValidationError:
        pass
    try:
        return msgspec.convert(_java_booleans(kind, ext), kind, strict=False)
    except msgspec.ValidationError as error:
        raise _bad_field(kind, ext, str(error)) from None


@cache
def _booleans(kind: type[Fields]) -> tuple[str, ...]:
    """Return the wire names of the boolean fields."""
    return tuple(
        field.encode_name
        for field in msgspec.structs.fields(kind)
        if field.type is bool or bool in get_args(field.type)
    )


def _java_booleans(kind: type[Fields], ext: Ext) -> Ext:
    """Replace malformed booleans by false, as Java does."""
    malformed = [
        name
        for name in _booleans(kind)
        if name in ext and ext[name].lower() not in _BOOLEAN_TEXTS
    ]
    return {**ext, **dict.fromkeys(malformed, "false")}


def _bad_field(kind: type[Fields], ext: Ext, text: str) -> BadField:
    """Convert a validation error to :class:`BadField`."""
    missing = _MISSING.search(text)
    if missing:
        name = _full_name(kind, missing[1])
        return BadField(name, "missing", f"it in {kind.__name__}")
    where = _WHERE.search(text)
    name = where[1] if where else "?"
    found = repr(ext.get(name))[:80]
    expected = text.split(" - ")[0].removeprefix("Expected ")
    return BadField(_full_name(kind, name), found, expected)


def _full_name(kind: type[Fields], wire_name: str) -> str:
    """Return a field's name for error messages: some wire names are single letters."""
    if len(wire_name) > 1:
        return wire_name
    names = {wire: name for name, wire in layout(kind)}
    return f"{wire_name} ({names[wire_name]})" if wire_name in names else wire_name
