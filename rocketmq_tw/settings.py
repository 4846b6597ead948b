"""
Settings under the original's names, as in ``broker.conf``::

    listenPort = 10911
    autoCreateTopicEnable = true

A group of settings is declared once, as a struct whose fields are their names in snake
case. The text is Java's ``.properties``.

Source: ``MixAll.properties2Object`` and ``BrokerStartup`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, TypeVar

import msgspec

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.wire.bodies.kvtable import decode_properties, encode_properties

S = TypeVar("S", bound=msgspec.Struct)

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
}


class BadSetting(RocketMQError):
    """A setting's value cannot be used."""

    def __init__(self, key: str, value: str, expected: str) -> None:
        super().__init__(key, value, expected)
        self.key = key
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f'{self.key} is "{self.value}"; expected {self.expected}'


class UnreadableSettings(RocketMQError):
    """A file of settings cannot be read."""


def read(path: str) -> dict[str, str]:
    """
    Read a file of settings; the last value of a key counts.

    :raises UnreadableSettings: there is no such file, or it is no text.
    """
    try:
        with open(path, "rb") as file:
            return decode_properties(file.read())
    except OSError as error:
        why = error.strerror or error
        raise UnreadableSettings(f"cannot read the settings in {path}: {why}") from None
    except ValueError as error:
        raise UnreadableSettings(f"{path} is not a properties file: {error}") from None


def apply(kind: type[S], values: dict[str, str]) -> tuple[S, list[str]]:
    """
    Make a struct of settings from texts; what is not there keeps its default.

    :returns: the struct, and the keys that it does not have.
    :raises BadSetting: a value is not of its setting's type.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    known: dict[str, Any] = {}
    for key, text in values.items():
        field = fields.get(key)
        if field is None:
            continue
        try:
            known[field.name] = msgspec.convert(
                text.strip(), field.type, strict=False, str_keys=True
            )
        except msgspec.ValidationError as error:
            raise BadSetting(key, text, _expected(field.type, str(error))) from None
    return kind(**known), sorted(set(values) - set(fields))


def to_values(settings: msgspec.Struct) -> dict[str, str]:
    """Write all settings as texts, by their keys."""
    values: dict[str, str] = {}
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if value is None:
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, Enum):
            value = value.value
        values[field.encode_name] = str(value)
    return values


def to_properties(settings: msgspec.Struct) -> bytes:
    """Write all settings as properties text."""
    return encode_properties(to_values(settings))


def _expected(kind: Any, error: str) -> str:
    """Say in words what a setting takes."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(member.value) for member in kind)
    pattern = re.search(r"matching regex '(.*)'", error)
    if pattern:
        return f"a text like {pattern[1]}"
    bounds = re.search(r"(>=|<=) (-?\d+)", error)
    said = re.search(r"Expected `([a-z]+)", error)
    text = _EXPECTED.get(said[1], said[1]) if said else "another value"
    if bounds:
        text += f" {bounds[1]} {bounds[2]}"
    return text
