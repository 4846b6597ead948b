"""Records, batches, properties and compressed bodies."""

from __future__ import annotations

from collections.abc import Iterator

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire import batch, compression, properties, record
from rocketmq_tw.wire.compression import BadCompression, BodyTooLarge
from tests.fuzz.target import Budget, Target
from tests.fuzz.targets.json import repeated
from tests.store.cases import draft

#: The most bytes that a body inflates to here.
INFLATED = 1 << 16
_KINDS = (
    0,
    sysflag.COMPRESSION_ZLIB,
    sysflag.COMPRESSION_LZ4,
    sysflag.COMPRESSION_ZSTD,
    0x700,
)
_HOST = b"\x0a\0\0\1\0\0\x2a\x9f"
_HOST_V6 = bytes(16) + b"\0\0\x2a\x9f"


def records() -> Iterator[bytes]:
    """Give records of all kinds: short, compressed, with long topics and IPv6 hosts."""
    drafts = [
        draft(),
        draft(b"", properties=b""),
        draft(topic=b"x" * 200),
        draft(born_host=_HOST_V6, sys_flag=sysflag.BORN_HOST_V6),
    ]
    for kind in _KINDS[:-1]:
        body = compression.deflate(b"hello " * 50, kind)
        drafts.append(draft(body, sys_flag=sysflag.COMPRESSED | kind))
    for number, each in enumerate(drafts):
        host = _HOST_V6 if number % 2 else _HOST
        yield record.encode(each, number, number * 100, 1_700_000_000_000, host)


def _seeds() -> Iterator[bytes]:
    """Give single records, and all of them with a blank behind them."""
    yield from records()
    yield b"".join(records()) + b"\0\0\0\x08\xcb\xd4\x31\x94"


def _inflate(body: bytes, sys_flag: int) -> bytes:
    return compression.inflate(body, sys_flag, INFLATED)


def _check(data: bytes) -> object:
    """Check what recovery checks, at every record."""
    at, found = 0, []
    view = memoryview(data)
    while isinstance(each := record.check(view, at, len(data), True), record.Checked):
        found.append(each.tags_code)
        at += each.size
    return found


def _read_properties(data: bytes) -> object:
    """Decode a text, and find each name in it as the whole table has it."""
    text = data.decode("utf-8", "replace")
    table = properties.decode(text)
    for name in ("TAGS", "KEYS", "DELAY"):
        assert properties.find(text, name) == table.get(name), name
    assert properties.decode(properties.encode(table)) == table
    return table


def _inflate_any(data: bytes) -> object:
    """Inflate a body; the first byte names the kind of compression."""
    kind = _KINDS[data[0] % len(_KINDS)] if data else 0
    return compression.inflate(data[1:], sysflag.COMPRESSED | kind, INFLATED)


def _compressed() -> Iterator[bytes]:
    """Give compressed bodies of each kind."""
    for number, kind in enumerate(_KINDS[:-1]):
        for body in (b"hello " * 100, b"", bytes(200_000)):
            yield bytes([number]) + compression.deflate(body, kind)


def _items() -> bytes:
    return batch.encode(
        [(0, b"body", "TAGS\x01a\x02"), (1, b"", ""), (2, b"x" * 99, "")]
    )


#: Inflating takes buffers, whatever comes out.
_INFLATING = Budget(memory=(1 << 20) + 4 * INFLATED)

TARGETS = (
    Target(
        name="records",
        run=lambda data: record.decode_all(data, _inflate),
        errors=(record.MalformedRecord, BadCompression, BodyTooLarge),
        seeds=_seeds,
        pieces=(b"\xda\xa3\x20\xa7", b"\xda\xa3\x20\xab", b"\xcb\xd4\x31\x94"),
        amplifiers={
            "records": lambda size: b"".join(records()) * (size // 2000 + 1),
        },
        budget=_INFLATING,
        examples=26,
    ),
    Target(
        name="record-check",
        run=_check,
        errors=(),
        seeds=_seeds,
        pieces=(b"\xda\xa3\x20\xa7", b"\xda\xa3\x20\xab", b"\xcb\xd4\x31\x94"),
        examples=26,
    ),
    Target(
        name="properties",
        run=_read_properties,
        errors=(),
        seeds=lambda: (b"TAGS\x01TagA\x02KEYS\x01a b\x02", b"\x01\x02\x01", b"a\x01b"),
        amplifiers={
            "pairs": repeated("", "a\x01b\x02"),
            "ends": repeated("TAGS\x01", "\x02"),
            "equal names": repeated("", "TAGS\x01\x02"),
        },
    ),
    Target(
        name="batch",
        run=batch.split,
        errors=(batch.MalformedBatch,),
        seeds=lambda: (_items(), _items() * 5, b""),
        amplifiers={
            "empty items": lambda size: batch.encode([(0, b"", "")]) * (size // 22)
        },
    ),
    Target(
        name="compression",
        run=_inflate_any,
        errors=(BadCompression, BodyTooLarge),
        seeds=_compressed,
        budget=_INFLATING,
    ),
)
