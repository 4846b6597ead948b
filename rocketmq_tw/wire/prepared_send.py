"""
Sends and their responses in one pass: forms for the path of every message.

The header of a send differs from the one before in a few fields only; the others are
encoded once for each queue. Measured: 0.5 µs a header instead of 4.5, and 0.7 µs for
the header of a response instead of 2. A signed send takes 1.5 µs instead of 5.1: what
the signature covers is prepared likewise.

Everything else about these requests is in :mod:`rocketmq_tw.wire.requests.send`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import msgspec

from rocketmq_tw.wire.command import AddSignature, Sign, encode_request
from rocketmq_tw.wire.fields import Ext
from rocketmq_tw.wire.requests.send import SendMessageV2, SendResponse

_HEAD = struct.Struct(">II")
_pack_head = _HEAD.pack
_encode_text = msgspec.json.Encoder().encode

#: What stands in a header for the fields that vary, and their format. A quotation mark
#: inside of a value is escaped, so no value contains one of these.
_VARYING = (
    (b'"f":"-1"', b'"f":"%d"'),
    (b'"g":"-1"', b'"g":"%d"'),
    (b'"h":"-1"', b'"h":"%d"'),
    (b'"i":"-1"', b'"i":%b'),
    (b'"opaque":-1', b'"opaque":%d'),
)
SIGNATURE = "Signature"
#: What varies in the content of a signature, in the order of the fields' names.
_SIGNED = {"f": b"%d", "g": b"%d", "h": b"%d", "i": b"%b"}


def header_format(request: SendMessageV2, sign: AddSignature | None = None) -> bytes:
    """
    Prepare the header of requests that differ from this one in some fields only:
    ``sys_flag``, ``born_timestamp``, ``flag``, ``properties`` and the opaque.

    :param sign: adds fields.
    :returns: the format for :func:`encode_send`.
    """
    varying = msgspec.structs.replace(
        request, sys_flag=-1, born_timestamp=-1, flag=-1, properties="-1", body=b""
    )
    return form_of(encode_request(varying, -1, sign=sign), _VARYING)


def form_of(frame: bytes, varying: Iterable[tuple[bytes, bytes]]) -> bytes:
    """
    Return the format of the header of a frame.

    :param varying: what stands in it for the fields that vary, and their format.
    """
    header = frame[_HEAD.size :].replace(b"%", b"%%")
    for marker, form in varying:
        assert header.count(marker) == 1, header
        header = header.replace(marker, form)
    return header


def encode_send(
    form: bytes,
    sys_flag: int,
    born_timestamp: int,
    flag: int,
    properties: str,
    opaque: int,
    body: bytes,
) -> bytes:
    """
    Encode a frame, byte for byte as :func:`~rocketmq_tw.wire.command.encode_request`.

    The arguments are positional: naming them would cost 5 % of the call.

    :param form: see :func:`header_format`.
    """
    text = _encode_text(properties)
    header = form % (sys_flag, born_timestamp, flag, text, opaque)
    size = len(header)
    return _pack_head(4 + size + len(body), size) + header + body


class SignedForm(msgspec.Struct, frozen=True):
    """
    The prepared header of signed sends.

    :ivar header: a format, for the signature and what varies.
    :ivar content: a format of what the signature covers, without the body.
    """

    header: bytes
    content: bytes
    sign: Callable[[bytes, bytes], bytes]


def signed_form(request: SendMessageV2, signer: Sign) -> SignedForm:
    """Prepare the header of signed requests as :func:`header_format` does."""
    found: Ext = {}

    def mark(ext: Ext, body: bytes) -> None:
        signer(ext, body)
        ext[SIGNATURE] = "-1"
        found.update(ext)

    header = header_format(request, mark)
    marker = f'"{SIGNATURE}":"-1"'.encode()
    assert header.count(marker) == 1, header
    header = header.replace(marker, marker.replace(b"-1", b"%b"))
    content = b"".join(
        _SIGNED.get(name) or found[name].encode().replace(b"%", b"%%")
        for name in sorted(found)
        if name != SIGNATURE
    )
    return SignedForm(header, content, signer.sign)


def encode_signed_send(
    form: SignedForm,
    sys_flag: int,
    born_timestamp: int,
    flag: int,
    properties: str,
    opaque: int,
    body: bytes,
) -> bytes:
    """
    Encode a signed frame, byte for byte as
    :func:`~rocketmq_tw.wire.command.encode_request`.

    :param form: see :func:`signed_form`.
    """
    text = properties.encode()
    signature = form.sign(form.content % (sys_flag, born_timestamp, flag, text), body)
    header = form.header % (
        signature,
        sys_flag,
        born_timestamp,
        flag,
        _encode_text(properties),
        opaque,
    )
    size = len(header)
    return _pack_head(4 + size + len(body), size) + header + body


class StoredHeader(msgspec.Struct):
    """The header of the response to a send that was stored."""

    code: int
    fields: SendResponse = msgspec.field(name="extFields")
    opaque: int
    flag: int
    remark: str | None = None


#: Decodes a :class:`StoredHeader`; raises :data:`~rocketmq_tw.wire.command.NOT_USUAL`
#: for all other headers.
decode_stored = msgspec.json.Decoder(StoredHeader, strict=False).decode
