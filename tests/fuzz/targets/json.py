"""JSON of peers, strict and lenient."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rocketmq_tw.wire import fastjson, lenient_json
from rocketmq_tw.wire.errors import MalformedJson
from tests.fuzz.target import Amplifier, Target

SEEDS = (
    b'{"a":[1,2.5,-3e2,true,false,null,"x\\u00e9\\n"],"b":{"c":{}}}',
    b'{0:"10.0.0.1:10911",1:"10.0.0.2:10911"}',
    b'{{"brokerName":"b","queueId":0,"topic":"T"}:7}',
    b'{"a":[{"b":1}],"c":{"$ref":"$.a[0]"},"d":{"$ref":"$.c"}}',
    b"{'a':'b\\'c',d:1,/* e */f:[1,,2,],//g\nh:0x}"[:-5] + b":0}",
    b"\xef\xbb\xbf{a:NaN,b:undefined,c:1L,d:2.5F,e:.5}"[:-6] + b"}",
)


def repeated(start: str, piece: str, end: str = "") -> Amplifier:
    """Return what makes inputs in which a piece is repeated."""
    return lambda size: (start + piece * (size // len(piece)) + end).encode()


def _chain(size: int) -> bytes:
    """Make references to references: each names the one before it."""
    count = max(size // 24, 2)
    links = (f'"r{i}":{{"$ref":"$.r{i - 1}"}}' for i in range(1, count))
    return ('{"r0":{"x":1},' + ",".join(links) + "}").encode()


def _doubled(size: int) -> bytes:
    """Make objects that name the one before them twice."""
    count = max(size // 48, 2)
    links = (
        f'"r{i}":[{{"$ref":"$.r{i - 1}"}},{{"$ref":"$.r{i - 1}"}}]'
        for i in range(1, count)
    )
    return ('{"r0":[1],' + ",".join(links) + "}").encode()


def _long_paths(size: int) -> bytes:
    """Make a reference with a path of many steps, and as many references."""
    path = "$" + ".a" * (size // 4)
    return f'{{"a":{{"a":1}},"b":{{"$ref":"{path}"}}}}'.encode()


def _keys(size: int) -> bytes:
    """Make objects that are keys."""
    keys = (f'{{"queueId":{i}}}:{i}' for i in range(size // 20))
    return ("{" + ",".join(keys) + "}").encode()


AMPLIFIERS: Mapping[str, Amplifier] = {
    "open brackets": repeated("", "["),
    "open braces": repeated("", '{"a":'),
    "keys of keys": repeated("", "{"),
    "empty lists": repeated("[", "[],", "[]]"),
    "bare keys": repeated("{", "1:1,", "2:2}"),
    "commas": repeated("[", ",", "]"),
    "blanks": repeated("[", " ", "x"),
    "comments": repeated("[", "/**/", "]"),
    "line comments": repeated("[", "//\n", "]"),
    "open comments": repeated("[", "/*"),
    "escapes": repeated('{x:"', "\\n", '"}'),
    "escaped quotes": repeated('{"a":"', '\\"'),
    "surrogates": repeated('{x:"', "\\ud83d\\ude00", '"}'),
    "digits": repeated("[", "1"),
    "numbers": repeated("[", "1234567890123456789,", "1]x"),
    "references": repeated('[{"a":1},', '{"$ref":"$[0]"},', "1]"),
    "chained references": _chain,
    "doubled references": _doubled,
    "long paths": _long_paths,
    "object keys": _keys,
    "equal keys": repeated("{", "a:1,", "b:2}"),
}
#: Those that make readers of typed values work hardest.
HARDEST: Mapping[str, Amplifier] = {
    name: AMPLIFIERS[name]
    for name in ("open braces", "bare keys", "escapes", "references", "object keys")
}


def _texts(read: Callable[[str], object]) -> Callable[[bytes], object]:
    """Return a reader of bytes that decodes them like the wire's."""
    return lambda data: read(data.decode("utf-8", "replace"))


TARGETS = tuple(
    Target(
        name=name,
        run=run,
        errors=(MalformedJson,),
        seeds=lambda: SEEDS,
        amplifiers=AMPLIFIERS,
    )
    for name, run in (
        ("json", fastjson.loads),
        ("json-lenient", _texts(lenient_json.read)),
        ("json-header", fastjson.loads_header),
    )
)
