"""
Makes the entries of records: the hashes of their keys.

Messages of one producer have the same tail but for the unique key: so the hashes of
the other keys are kept for each tail without it.
"""

from rocketmq_tw.store.index.file import Entry
from rocketmq_tw.store.index.hash import KeyHash
from rocketmq_tw.store.index.keys import KEYS, UNIQUE, keys_of, split, tails, unique_key

#: Entries that are made at a stretch, some 0.6 us each, and of one record more: it has
#: 16,384 keys at most.
ENTRIES = 4000
#: Tails that are kept, and bytes of the longest.
MAX_TAILS, _LONGEST_TAIL = 2048, 512

#: The topic and ``#``, and the hashes of all keys but the unique one.
_Common = tuple[bytes, tuple[int, ...]]


class Entries:
    """Makes entries; keeps what tails have in common: up to 2048, 512 bytes each."""

    def __init__(self) -> None:
        self._hash = KeyHash()
        self._tails: dict[bytes, _Common] = {}

    def of(self, data: bytes, base: int) -> tuple[list[Entry], int]:
        """
        Return the entries of complete records at the start of ``data``.

        :param base: the commit log offset of ``data``.
        :returns: the entries, and the position in ``data`` behind the last record: 0 if
            there is none.

        Once per message: 1.5 us; 1.5 us more if it has ``KEYS``.
        """
        entries: list[Entry] = []
        add, hash_code, known = entries.append, self._hash, self._tails.get
        behind = 0
        for at, size, time_ms, tail in tails(data, 0, len(data)):
            behind, offset = at + size, base + at
            head, name, rest = tail.partition(UNIQUE)
            unique, _, rest = rest.partition(b"\x02")
            common = head + name + rest
            found = known(common)
            if found is None:
                found, unique = self._learn(tail, common)
            topic, codes = found
            if unique:
                add((hash_code(topic + unique), offset, time_ms))
            for code in codes:
                add((code, offset, time_ms))
            if len(entries) >= ENTRIES:
                break
        return entries, behind

    def _learn(self, tail: bytes, common: bytes) -> tuple[_Common, bytes]:
        """
        Return the keys of a tail, and the unique one.

        They are kept, unless it has words of ``KEYS``, or another property whose name
        ends like that of the unique key.
        """
        topic, properties = split(tail)
        topic += b"#"
        true = unique_key(properties) or b""
        others = keys_of(properties)[bool(true) :]
        found = topic, tuple(self._hash(topic + key) for key in others)
        is_known = len(common) <= _LONGEST_TAIL and KEYS not in properties
        if is_known and _names_unique(tail, properties):
            if len(self._tails) >= MAX_TAILS:
                self._tails.clear()
            self._tails[common] = found
        return found, true


def _names_unique(tail: bytes, properties: bytes) -> bool:
    """Return whether the first ``UNIQ_KEY`` of a tail, if any, is a property's name."""
    at, start = tail.find(UNIQUE), len(tail) - len(properties)
    return at < 0 or at == start or (at > start and tail[at - 1] == 2)
