"""
The text of a table of offsets, kept in blocks of which few change.

Each entry belongs to one of :data:`BLOCKS` by the hash of its key. A change discards
the text of its block, and the next text of the whole table encodes that block again.
Half a million entries of which ten change cost 75 ms instead of 1.1 s, and what is kept
is as large as the file: a tenth of the table.

::

    _texts  [ b'"A@G":{"0":7},"B@G":{"0":5}',   encoded
              0,                                changed since
              3 ]                               being encoded, by the third run
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rocketmq_tw.remoting.pacing import Steps, parts_of
from rocketmq_tw.wire import fastjson

#: How many blocks there are: with 100,000 entries one has a hundred.
BLOCKS = 1024
#: How many offsets are encoded in one step: some 2 ms.
SLICE = 2000
#: How many keys are looked at in one step: some 2 ms.
KEYS = 20_000
_CHANGED = 0

#: A topic and a group.
Key = tuple[str, str]


def block_of(key: Key) -> int:
    """Return the block of a key."""
    return hash(key) % BLOCKS


class EncodedOffsets:
    """
    The encoded entries of one table.

    :param table: maps (topic, group) to queue id to offset.
    """

    # A run sets a block to its text only if that is still its number: otherwise an
    # entry has changed, or another run has begun, which may know more entries.

    def __init__(self, table: Mapping[Key, Mapping[int, int]]) -> None:
        self._table = table
        self._texts: list[bytes | int] = [_CHANGED] * BLOCKS
        self._runs = 0
        # Blocks that were encoded since somebody asked which have changed.
        self._noted: set[int] | None = None

    def changed(self, key: Key) -> None:
        """Record that an entry was changed, added or removed."""
        # As block_of has it: this is on the path of pulls.
        self._texts[hash(key) % BLOCKS] = _CHANGED

    def take_changed(self) -> set[int] | None:
        """
        Return the blocks in which entries may have changed since the last call.

        :returns: None for the first one: all may have.
        """
        noted, self._noted = self._noted, set()
        if noted is not None:
            for block, text in enumerate(self._texts):
                if not text and isinstance(text, int):
                    noted.add(block)
        return noted

    def in_steps(self) -> Steps[list[bytes]]:
        """
        Encode what has changed, and return the entries: several in a text, joined.

        What changes between two steps is in it or not.
        """
        self._runs += 1
        run, kept = self._runs, self._texts
        wanted: dict[int, list[Key]] = {}
        texts: list[bytes] = []
        for block, text in enumerate(kept):
            if isinstance(text, int):
                kept[block], text = run, b""
                if self._noted is not None:
                    self._noted.add(block)
                wanted[block] = []
            texts.append(text)
        yield from self._find(wanted)
        pieces: list[bytes] = []
        count = 0
        for block, keys in wanted.items():
            for key in keys:
                for piece, size in self._pieces(key):
                    if count >= SLICE:
                        count = 0
                        yield None
                    pieces.append(piece)
                    count += size
            texts[block] = b",".join(pieces)
            pieces.clear()
            if kept[block] == run:
                kept[block] = texts[block]
        return [text for text in texts if text]

    def _find(self, wanted: dict[int, list[Key]]) -> Steps[None]:
        """Find the keys of some blocks."""
        for number, keys in enumerate(parts_of(list(self._table), KEYS)):
            if number:
                yield None
            for key in keys:
                found = wanted.get(block_of(key))
                if found is not None:
                    found.append(key)

    def _pieces(self, key: Key) -> Iterator[tuple[bytes, int]]:
        """
        Encode an entry; one of many offsets makes several pieces, to be joined as well.

        :returns: each piece, and how much it counts of a step.
        """
        items = list(self._table.get(key, {}).items())
        before, after = fastjson.dumps("@".join(key)) + b":{", b""
        for at in range(0, len(items), SLICE):
            some = items[at : at + SLICE]
            if at + SLICE >= len(items):
                after = b"}"
            yield before + _joined(some) + after, len(some) + 1
            before = b""


def _joined(offsets: list[tuple[int, int]]) -> bytes:
    """Encode some offsets of an entry, with their queue ids."""
    return ",".join([f'"{queue}":{offset}' for queue, offset in offsets]).encode()
