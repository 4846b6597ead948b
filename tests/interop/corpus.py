"""
Messages that any language can compute again, and what must hold when they come back.

Message ``i`` of a seed is the same here and in ``java/.../Corpus.java``: both files
must agree. ``h`` is the SHA-256 of ``"<seed>:<i>"``; ``random`` its first 24 bits.

========== =====================================================================
size       100,000 + random % 200,000 where ``i % 997 == 13``; 2,000 + random %
           18,000 where ``i % 50 == 7``; else 1 + random % 600
body       ``h`` repeated (even ``i``), or ``h``, SHA-256 of it, and so on (odd)
tag        TagA, TagB, TagC in turn; none where ``i % 10 == 9``
keys       ``key-<seed>-<i>``, and a second one where ``i % 5 == 0``
properties ``i``, ``seed``, ``shard`` (``i % 8``), and a non-ASCII ``text`` where
           ``i % 4 == 0``
========== =====================================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct

TAGS = ("TagA", "TagB", "TagC")
SHARDS = 8
OWN_PROPERTIES = frozenset(["i", "seed", "shard", "text"])
"""Properties set by the sender; the others belong to client and broker."""


class CorpusMessage(Struct, frozen=True):
    """What a sender hands over and every receiver must see again."""

    body: bytes
    tag: str | None
    keys: tuple[str, ...]
    properties: dict[str, str]


def message(seed: str, i: int) -> CorpusMessage:
    """Compute message ``i`` of a seed."""
    keys = [f"key-{seed}-{i}"]
    if i % 5 == 0:
        keys.append(f"even-{i}")
    properties = {"i": str(i), "seed": seed, "shard": str(i % SHARDS)}
    if i % 4 == 0:
        properties["text"] = f"Größe 消息 {i}"
    tag = None if i % 10 == 9 else TAGS[i % len(TAGS)]
    return CorpusMessage(_body(seed, i), tag, tuple(keys), properties)


def _body(seed: str, i: int) -> bytes:
    block = sha256(f"{seed}:{i}".encode()).digest()
    size = _size(i, int.from_bytes(block[:3], "big"))
    blocks = -(-size // len(block))
    if i % 2 == 0:
        return (block * blocks)[:size]
    chain = [block]
    while len(chain) < blocks:
        chain.append(sha256(chain[-1]).digest())
    return b"".join(chain)[:size]


def _size(i: int, random: int) -> int:
    if i % 997 == 13:
        return 100_000 + random % 200_000
    if i % 50 == 7:
        return 2_000 + random % 18_000
    return 1 + random % 600


def check_contents(seed: str, lines: Iterable[Mapping[str, Any]]) -> None:
    """
    Compare body, tag, keys and properties of received messages with the corpus.

    :param lines: the ``message`` lines printed by a consumer.
    """
    for line in lines:
        i = int(line["properties"]["i"])
        expected = message(seed, i)
        own = {k: v for k, v in line["properties"].items() if k in OWN_PROPERTIES}
        assert line["size"] == len(expected.body), i
        assert line["digest"] == sha256(expected.body).hexdigest(), i
        assert line.get("tags") == expected.tag, i
        assert line["keys"].split() == list(expected.keys), i
        assert own == expected.properties, i


def check_once(numbers: Iterable[int], lines: Iterable[Mapping[str, Any]]) -> None:
    """Every number was received exactly once, and nothing else was."""
    seen = Counter(int(line["properties"]["i"]) for line in lines)
    expected = set(numbers)
    missing = expected - seen.keys()
    twice = {i: n for i, n in seen.items() if n > 1}
    assert not missing, f"{len(missing)} missing, first {sorted(missing)[:5]}"
    assert not seen.keys() - expected, "messages that nobody sent"
    assert not twice, f"{len(twice)} more than once: {dict(list(twice.items())[:5])}"


def check_queue_order(lines: Iterable[Mapping[str, Any]]) -> None:
    """Queue offsets of each queue rise by one, in the order of arrival."""
    last: dict[tuple[str, str, int], int] = {}
    for line in lines:
        queue = (line["topic"], line["broker"], line["queueId"])
        if queue in last:
            assert line["queueOffset"] == last[queue] + 1, (queue, line["queueOffset"])
        last[queue] = line["queueOffset"]


def check_shards(numbers: Iterable[int], lines: Iterable[Mapping[str, Any]]) -> None:
    """Messages of one shard lie in one queue, in the order of their numbers."""
    wanted = set(numbers)
    places: dict[int, list[tuple[str, int, int, int]]] = {}
    for line in lines:
        i = int(line["properties"]["i"])
        if i in wanted:
            place = (line["broker"], line["queueId"], line["queueOffset"], i)
            places.setdefault(i % SHARDS, []).append(place)
    for shard, found in places.items():
        assert len({place[:2] for place in found}) == 1, f"shard {shard} in two queues"
        order = [place[3] for place in sorted(found)]
        assert order == sorted(order), f"shard {shard} out of order"
