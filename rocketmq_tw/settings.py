"""
Settings under Apache RocketMQ's names, as in ``broker.conf``::

    listenPort = 10911
    autoCreateTopicEnable = true

Files written for Apache RocketMQ contain settings that do not exist here. Those that
operators rely on are refused, the others are listed in a warning: see
:class:`Unsupported`.

Source: ``MixAll.properties2Object`` and ``BrokerStartup`` of RocketMQ 5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, TypeVar

import msgspec
from twisted.logger import Logger

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.wire.bodies.kvtable import (
    MAX_TEXT,
    decode_properties,
    encode_properties,
)

_log = Logger()

S = TypeVar("S", bound=msgspec.Struct)

#: Types of settings; the last two differ in whether 0 is allowed.
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]

#: The folder in which programs keep their files by default.
DATA_FOLDER = "rocketmq-data"

#: Characters not allowed in the text: control characters except tab, line ends and form
#: feed.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")

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
        value = log_safe(self.value)
        return f'{self.key} is "{value}"; expected {self.expected}'


class UnreadableSettings(RocketMQError):
    """A file of settings cannot be read."""


class Unsupported(msgspec.Struct, frozen=True, kw_only=True):
    """
    A setting of Apache RocketMQ for a feature that does not exist here.

    :ivar harmless: the values, in lower case, that request nothing; so does no value.
    :ivar expected: for the error: a harmless value, and why others are refused. None
        if ignoring the setting does no harm.
    """

    harmless: tuple[str, ...] = ("false",)
    expected: str | None = None

    def asks_for_nothing(self, key: str, text: str) -> bool:
        """
        Return whether the value requests nothing.

        :raises BadSetting: it requests something that must not be ignored.
        """
        value = text.strip()
        if not value or value.lower() in self.harmless:
            return True
        if self.expected is not None:
            raise BadSetting(key, value, self.expected)
        return False


#: An empty table of unsupported settings.
NOTHING: Mapping[str, Unsupported] = {}


def read(path: str) -> dict[str, str]:
    """
    Read a file of settings; the last value of a key counts.

    :raises UnreadableSettings: the file does not exist, is not text, or is over
        64 KiB long.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_TEXT + 1)
    except OSError as error:
        why = error.strerror or error
        raise UnreadableSettings(f"cannot read the settings in {path}: {why}") from None
    control = _CONTROL.search(text)
    if control is not None:
        raise UnreadableSettings(
            f"{path} is not a properties file: byte {control.start()} is"
            f" 0x{control[0][0]:02x}, a control character"
        )
    if len(text) > MAX_TEXT:
        raise UnreadableSettings(f"{path} has over {MAX_TEXT} bytes of settings")
    return decode_properties(text)


def read_line(path: str) -> str:
    """
    Read a file with one text, such as a password; blanks around it do not count.

    :raises UnreadableSettings: the file does not exist, is not text of one line, or is
        too long.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_TEXT + 1).decode().strip()
    except UnicodeDecodeError:
        raise UnreadableSettings(f"{path} is not text") from None
    except OSError as error:
        why = error.strerror or error
        raise UnreadableSettings(f"cannot read {path}: {why}") from None
    if len(text) > MAX_TEXT or not text.isprintable():
        raise UnreadableSettings(f"{path} is not one line of text")
    return text


def apply(
    kind: type[S],
    values: Mapping[str, str],
    unsupported: Mapping[str, Unsupported] = NOTHING,
) -> tuple[S, list[str]]:
    """
    Return a struct of settings from texts; missing ones keep their default.

    :param unsupported: the unsupported settings, by key.
    :returns: the struct, and the sorted keys without effect: unknown settings,
        and unsupported settings that request something.
    :raises BadSetting: a value is not of its setting's type, or requests something
        unsupported that must not be ignored.
    """
    fields = {field.encode_name: field for field in _fields(kind)}
    known: dict[str, Any] = {}
    idle: list[str] = []
    for key, text in values.items():
        lacking, field = unsupported.get(key), fields.get(key)
        if lacking is not None:
            if not lacking.asks_for_nothing(key, text):
                idle.append(key)
        elif field is None:
            idle.append(key)
        if field is not None:
            known[field.name] = _converted(field, text)
    return kind(**known), sorted(idle)


def warn_of_idle(path: str | None, keys: Sequence[str]) -> None:
    """Log one warning with all settings of a file that have no effect."""
    if keys:
        _log.warn(
            "{path}: these settings have no effect here: {keys}",
            path=path,
            keys=", ".join(map(log_safe, keys)),
        )


def take_flag(values: dict[str, str], key: str) -> bool:
    """Remove a truth value, and return it. :raises BadSetting: it is none."""
    return truth(key, values.pop(key, ""))


def truth(key: str, text: str, default: bool = False) -> bool:
    """
    Return a truth value; the default for an empty text.

    :raises BadSetting: it is none.
    """
    word = text.strip().lower()
    if word not in ("", "true", "false"):
        raise BadSetting(key, text, "true or false")
    return default if not word else word == "true"


def to_values(settings: msgspec.Struct) -> dict[str, str]:
    """Return all settings as texts, by key; those in structs have secrets."""
    values: dict[str, str] = {}
    for field in _fields(type(settings)):
        value = getattr(settings, field.name)
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, Enum):
            value = value.value
        values[field.encode_name] = str(value)
    return values


def to_properties(settings: msgspec.Struct) -> bytes:
    """Return all settings as properties text."""
    return encode_properties(to_values(settings))


def _fields(kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """Return the fields that are texts in a file; a struct has keys of its own."""
    return [
        field
        for field in msgspec.structs.fields(kind)
        if not isinstance(field.default, msgspec.Struct)
    ]


def _converted(field: msgspec.structs.FieldInfo, text: str) -> Any:
    """
    Convert the text of a setting. :raises BadSetting: it is not of the setting's type.
    """
    try:
        return msgspec.convert(text.strip(), field.type, strict=False)
    except msgspec.ValidationError as error:
        expected = _expected(field.type, str(error))
        raise BadSetting(field.encode_name, text, expected) from None


def _expected(kind: Any, error: str) -> str:
    """Return the accepted values of a setting, in words."""
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
