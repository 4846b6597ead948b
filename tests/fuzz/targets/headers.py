"""Headers in both forms, and the fields of every request."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from rocketmq_tw.remoting.router import ErrorResponse
from rocketmq_tw.wire import requests
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import decode, decode_ext, encode_request, encode_response
from rocketmq_tw.wire.errors import BadField, LocalProtocolError, RemoteProtocolError
from rocketmq_tw.wire.fields import DECLARED, from_ext
from rocketmq_tw.wire.frame import BINARY, JSON, FrameDecoder
from tests.fuzz.target import Amplifier, Budget, Target
from tests.fuzz.targets.json import HARDEST, repeated
from tests.fuzz.targets.samples import ext_of
from tests.wire.captures import GOLDEN

for _module in pkgutil.iter_modules(requests.__path__):
    importlib.import_module(f"{requests.__name__}.{_module.name}")

#: The codes of the declared requests; tests declare others.
CODES = sorted(code for code in DECLARED if code < 31_000 or code > 100_000)


def recorded(kind: int) -> Iterator[bytes]:
    """Give the headers of the recorded frames in one form."""
    for path in sorted(GOLDEN.glob("*.json")):
        for frame in msgspec.json.decode(path.read_bytes()):
            ((form, header, _body),) = FrameDecoder().feed(bytes.fromhex(frame["hex"]))
            if form == kind:
                yield header


def _read(kind: int) -> Callable[[bytes], object]:
    """Return what decodes a header, converts its fields, and makes a response."""

    def read(header: bytes) -> object:
        command = decode(kind, header, b"body")
        if kind == JSON:
            decode_ext(header)
        declared = DECLARED.get(command.code)
        if isinstance(command.fields, dict) and declared is not None:
            command.fields = from_ext(declared, command.fields)
        response = ErrorResponse(status=ResponseCode.SYSTEM_ERROR, remark="no")
        return encode_response(response, command.opaque or 0, command.kind)

    return read


def _every_request(kind: int) -> Iterator[bytes]:
    """Give a header for each declared request, written by us."""
    for code in CODES:
        declared: type[Any] = DECLARED[code]
        request = from_ext(declared, ext_of(declared))
        try:
            frame = encode_request(request, 1, kind=kind)
        except LocalProtocolError:
            continue
        ((_, header, _body),) = FrameDecoder().feed(frame)
        yield header


def _in_ext(amplifier: Amplifier) -> Amplifier:
    """Put what an amplifier makes where the fields stand."""
    return lambda size: b'{"code":34,"extFields":' + amplifier(size) + b"}"


def _fields(size: int) -> bytes:
    """Make a binary header with many short fields."""
    block = b"".join(b"\0\4%04x\0\0\0\1x" % i for i in range(size // 11))
    head = b"\0\x22\0\x01\x90\0\0\0\1\0\0\0\0" + b"\0\0\0\0"
    return head + len(block).to_bytes(4, "big") + block


_ERRORS = (RemoteProtocolError, BadField)

TARGETS = (
    Target(
        name="header-json",
        run=_read(JSON),
        errors=_ERRORS,
        seeds=lambda: (*_every_request(JSON), *list(recorded(JSON))[::5]),
        pieces=(b'"extFields":{', b'"code":', b'"flag":1,', b'"opaque":', b'"remark":'),
        amplifiers={
            **{f"{name} in extFields": _in_ext(each) for name, each in HARDEST.items()},
            "remark": repeated('{"code":1,"remark":', "["),
            "fields": repeated('{"code":10,"extFields":{', '"abcd":1,', '"z":null}}'),
        },
        # It is read twice: for the handler, and for guards.
        budget=Budget(work_each=80),
        examples=50,
    ),
    Target(
        name="header-binary",
        run=_read(BINARY),
        errors=_ERRORS,
        seeds=lambda: (*_every_request(BINARY), *list(recorded(BINARY))[::5]),
        amplifiers={"fields": _fields},
        examples=50,
    ),
)
