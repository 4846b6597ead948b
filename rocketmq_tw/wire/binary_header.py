"""
The parts of a binary header: texts, fields, and their encoding.

The layout is in :mod:`rocketmq_tw.wire.command`.

Source: ``RocketMQSerializable`` of RocketMQ 5.
"""

from __future__ import annotations

import struct

from rocketmq_tw.wire import codes
from rocketmq_tw.wire.errors import LocalProtocolError, MalformedHeader
from rocketmq_tw.wire.fields import Ext

#: The code, the language, the version, the opaque and the flag.
FIXED = struct.Struct(">hbhii")
#: More fields are refused in a binary header; requests have under forty.
MAX_BINARY_FIELDS = 4096
#: Reads a key and the length of its value, by the length of the key in two bytes. Keys
#: of requests are shorter than this.
_HEADS = {
    struct.pack(">H", size): struct.Struct(f">2x{size}si").unpack_from
    for size in range(32)
}


def read_text(data: bytes, at: int, width: int) -> tuple[str, int]:
    """Decode a text after its length, which has ``width`` bytes."""
    size = int.from_bytes(data[at : at + width], "big", signed=True)
    start = at + width
    if size < 0 or start + size > len(data):
        raise _past_end(size)
    return data[start : start + size].decode(), start + size


def read_ext(data: bytes, at: int, end: int) -> Ext:
    """
    Decode keys and values; an empty value means null, i.e. absent.

    On the path of every message of some clients: 0.3 us a field.
    """
    ext: Ext = {}
    count = 0
    while at < end:
        count += 1
        if count > MAX_BINARY_FIELDS:
            raise MalformedHeader(f"there are more than {MAX_BINARY_FIELDS} fields")
        # The length of the key, the key, and the length of the value.
        read = _HEADS.get(data[at : at + 2])
        if read is None:
            key, at = read_text(data, at, 2)
            value, at = read_text(data, at, 4)
            if value:
                ext[key] = value
            continue
        name, size = read(data, at)
        key, start = name.decode(), at + len(name) + 6
        at = start + size
        if size < 0 or at > end:
            raise _past_end(size)
        if size:
            ext[key] = data[start:at].decode()
    if at != end:
        raise MalformedHeader("the ext block ends inside a value")
    return ext


def _past_end(size: int) -> MalformedHeader:
    return MalformedHeader(f"a text of {size} bytes runs past the end of the header")


def encode_field(key: str, value: str) -> bytes:
    """Encode one field."""
    name, text = key.encode(), value.encode()
    return b"".join(
        (len(name).to_bytes(2, "big"), name, len(text).to_bytes(4, "big"), text)
    )


def binary_header(
    code: int, opaque: int, flag: int, remark: str | None, ext: Ext
) -> bytes:
    """Encode a binary header."""
    if not -(1 << 15) <= code < 1 << 15:
        raise LocalProtocolError(f"code {code} is beyond a binary header's 16 bits")
    block = b"".join(encode_field(key, value) for key, value in ext.items())
    said = (remark or "").encode()
    language = codes.LANGUAGES.index(codes.LANGUAGE)
    return b"".join(
        (
            FIXED.pack(code, language, codes.VERSION, opaque, flag),
            len(said).to_bytes(4, "big"),
            said,
            len(block).to_bytes(4, "big"),
            block,
        )
    )
