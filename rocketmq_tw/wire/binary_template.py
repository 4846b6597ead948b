"""
Decodes binary headers that differ from an earlier one in a few values only.

A client that sends many requests of one kind writes the same keys in the same order,
and most values do not change: of a send only the queue, the time and the properties do.
A template of such a header splits the next one in one step. If what is between the
values that may change is as it was, only these are decoded, and all else is copied:
that takes a third of the time that all fields take, one by one.

What fits no template is decoded field by field; so is whatever is not plainly a number
where one is expected. A template accepts nothing that would not be accepted then, and
makes the same of it.

Source: none; the headers are those of ``RocketMQSerializable`` of RocketMQ 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, get_args

import msgspec

from rocketmq_tw.wire.binary_header import FIXED
from rocketmq_tw.wire.command import Command, typed_binary_decoder
from rocketmq_tw.wire.fields import DECLARED, Request

#: Bytes of the longest header that becomes a template.
LONGEST = 4096
#: Templates of one kind of request, by the length of the header.
MOST = 64
#: So many headers that do not fit a template are looked at, and one of so many after
#: these: whether they differ in values that may change from now on.
YOUNG, PATIENCE = 16, 64
#: Where the number of a request is: behind its code, the language and the version.
_OPAQUE = slice(5, 9)
_unpack_opaque = struct.Struct(">i").unpack

Decode = Callable[[bytes], Any]


class NotPlain(Exception):
    """A value is no plain number."""


def decoders(declared: type[Request[Any]]) -> dict[str, tuple[str, Decode]]:
    """
    Return how texts and numbers of a request are decoded, by their names on the wire.

    :returns: the name in the struct, and a function that raises :class:`NotPlain`,
        ``UnicodeDecodeError`` or ``msgspec.DecodeError``. Values of other types do not
        change from one request to the next.
    """
    found: dict[str, tuple[str, Decode]] = {}
    for field in msgspec.structs.fields(declared):
        kinds = {getattr(kind, "__origin__", kind) for kind in get_args(field.type)}
        kinds.add(getattr(field.type, "__origin__", field.type))
        if str in kinds:
            found[field.encode_name] = field.name, bytes.decode
        elif int in kinds:
            found[field.encode_name] = field.name, _number_decoder(field.type)
    return found


def _number_decoder(kind: Any) -> Decode:
    """Return what decodes digits, and checks the limits of a type."""
    decode = msgspec.json.Decoder(kind).decode

    def decode_number(value: bytes) -> Any:
        if not value.isdigit():
            raise NotPlain
        return decode(value)

    return decode_number


def _values(header: bytes) -> Iterator[tuple[str, slice]]:
    """
    Find the values of a header that could be decoded, by the names of the fields.

    Empty ones are absent, and stay so.
    """
    at = FIXED.size + 4
    at += int.from_bytes(header[at - 4 : at], "big")
    end = at + 4 + int.from_bytes(header[at : at + 4], "big")
    at += 4
    while at < end:
        begin = at + 2
        behind = begin + int.from_bytes(header[at:begin], "big")
        start = behind + 4
        at = start + int.from_bytes(header[behind:start], "big")
        if at > start:
            yield header[begin:behind].decode(), slice(start, at)


class _Template:
    """
    One header, and which of its values may change.

    :ivar split: splits such a header into what may change and what is around it.
    :ivar constant: what is before, between and behind the values that may change.
    :ivar values: where all values are, by the names of their fields.
    """

    def __init__(
        self,
        header: bytes,
        command: Command,
        values: dict[str, slice],
        changing: dict[str, tuple[str, Decode]],
    ) -> None:
        spans = [values[key] for key in values if key in changing]
        edges = [0, _OPAQUE.start, _OPAQUE.stop]
        for span in spans:
            edges += span.start, span.stop
        sizes = [stop - start for start, stop in pairwise((*edges, len(header)))]
        form = struct.Struct("".join(f"{size}s" for size in sizes))
        self.split = form.unpack
        self.constant = form.unpack(header)[::2]
        self.header = header
        self.values = values
        self.looks = 0
        # What copy.copy() would call, without looking for it each time.
        self._copy = command.__copy__  # type: ignore[attr-defined]
        self._changing = [changing[key] for key in values if key in changing]

    def decode(self, values: tuple[bytes, ...]) -> Command:
        """
        Return the command of a header with other values.

        :raises NotPlain: and what else :func:`decoders` names.
        """
        command: Command = self._copy()
        (command.opaque,) = _unpack_opaque(values[0])
        fields = command.fields = command.fields.__copy__()
        for (name, decode), value in zip(self._changing, values[1:], strict=True):
            setattr(fields, name, decode(value))
        return command

    def differing(self, header: bytes, values: dict[str, slice]) -> set[str] | None:
        """Return which values of a header are others; None if it has other fields."""
        if values != self.values or list(values) != list(self.values):
            return None
        old = self.header
        return {key for key, span in values.items() if old[span] != header[span]}


class BinaryDecoder:
    """
    Decodes the binary headers of one kind of request.

    :param code: that of a declared request.
    """

    # _changing only grows, and has none but declared fields.

    def __init__(self, code: int) -> None:
        self._decode = typed_binary_decoder(code)
        self._decoders = decoders(DECLARED[code])
        self._changing: dict[str, tuple[str, Decode]] = {}
        self._templates: dict[int, _Template] = {}

    def __call__(self, header: bytes) -> Command:
        """Decode a header. :raises: what :func:`typed_binary_decoder` says."""
        template = self._templates.get(len(header))
        if template is None:
            command = self._decode(header)
            self._learn(header, command)
            return command
        pieces = template.split(header)
        if pieces[::2] == template.constant:
            try:
                return template.decode(pieces[1::2])
            except (NotPlain, UnicodeDecodeError, msgspec.DecodeError):
                return self._decode(header)
        command = self._decode(header)
        template.looks += 1
        if template.looks <= YOUNG or not template.looks % PATIENCE:
            self._learn(header, command, template)
        return command

    def _learn(
        self, header: bytes, command: Command, old: _Template | None = None
    ) -> None:
        """Make a template of a header; ``old`` is the one that it does not fit."""
        if len(header) > LONGEST:
            return
        found = list(_values(header))
        values = dict(found)
        if len(values) < len(found):
            return  # of two values of one field the last counts
        differing = None if old is None else old.differing(header, values)
        for key in differing or ():
            if key in self._decoders:
                self._changing[key] = self._decoders[key]
        if len(self._templates) >= MOST:
            self._templates.clear()
        made = _Template(header, command, values, self._changing)
        made.looks = 0 if old is None else old.looks
        self._templates[len(header)] = made
