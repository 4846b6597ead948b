"""
What the console responds to: each request is declared once.

From the declaration come the checks of a request, and its lines in ``openapi.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.model.log_safe import log_safe

#: Characters of a query, at most; a name of a topic has 127 and a time 30.
LONGEST_QUERY = 4096
_MOST_FIELDS = 16


class Call(msgspec.Struct, frozen=True):
    """
    One request, checked.

    :ivar query: the fields of the address, as the route declares them.
    :ivar body: what came as JSON, likewise.
    :ivar request: the request of HTTP, for cookies.
    """

    query: Any
    body: Any
    request: Any


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query without fields."""


class Done(msgspec.Struct, frozen=True):
    """It was done, and there is no more to say."""

    done: bool = True


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """
    One request.

    :ivar handle: returns the result, a Deferred or a coroutine.
    :ivar summary: a sentence, for the documents.
    :ivar query: the fields of the address.
    :ivar body: the type of the body; None takes none.
    :ivar result: the type of the result, of each line if that is a stream.
    :ivar notice: the type of other lines of a stream.
    :ivar is_open: whether it needs no sign-in.
    :ivar is_stream: whether the result is an iterator of lines, which does not end;
        what goes wrong before there is one is an error as elsewhere.
    :ivar largest: bytes of the body.
    """

    method: str
    path: str
    handle: Callable[[Call], Any]
    summary: str
    result: Any
    query: type[msgspec.Struct] = NoFields
    body: Any = None
    is_open: bool = False
    is_stream: bool = False
    notice: Any = None
    largest: int = 64 << 10


class Routes:
    """All routes, by path and method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        # One entry for each declared route.
        self._by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            self._by_path.setdefault(route.path, {})[route.method] = route

    def __iter__(self) -> Any:
        return (each for path in self._by_path.values() for each in path.values())

    def find(self, method: str, path: str) -> Route:
        """Return the route of a request. :raises HttpError: there is none."""
        methods = self._by_path.get(path)
        if methods is None:
            raise HttpError(404, f"there is nothing at {log_safe(path)}")
        route = methods.get(method)
        if route is None:
            allowed = ", ".join(sorted(methods))
            why = f"{path} takes {allowed}, not {log_safe(method, 16)}"
            raise HttpError(405, why, allow=allowed)
        return route


def decode_query(text: str, kind: type[msgspec.Struct]) -> Any:
    """
    Convert the fields of an address.

    :raises HttpError: one is unknown, twice there, or cannot be used.
    """
    if len(text) > LONGEST_QUERY:
        raise HttpError(414, f"a query may have {LONGEST_QUERY} characters")
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise HttpError(400, f"the query cannot be read: {error}") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HttpError(400, "a field is twice in the query")
    return _converted(fields, kind)


def _converted(fields: Mapping[str, str], kind: type[msgspec.Struct]) -> Any:
    """Convert texts to the fields of a struct."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise HttpError(400, f"there is no field {log_safe(unknown[0])}")
    given = {name: value for name, value in fields.items() if value != ""}
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise HttpError(400, f"the query cannot be used: {error}") from None


def decode_body(content: bytes, kind: Any) -> Any:
    """Convert a body. :raises HttpError: it is not what is expected."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HttpError(400, f"the body cannot be used: {error}") from None
