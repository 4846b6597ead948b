"""
Mutations: an input that was read without an error, with some bytes changed.

A mutation is a value, so that hypothesis can make it smaller: a list of edits, each at
a position given as a fraction of the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import strategies as st

from tests.fuzz.target import Amplifier, Target

#: No input of a mutation is longer; in bytes.
LONGEST = 1 << 14

#: Numbers where arithmetic on lengths breaks, as one, two, four and eight bytes.
_NUMBERS = tuple(
    (number & ((1 << 8 * width) - 1)).to_bytes(width, "big")
    for width in (1, 2, 4, 8)
    for number in (
        0,
        1,
        4,
        127,
        128,
        -1,
        1 << (8 * width - 1),
        (1 << 8 * width - 1) - 1,
    )
)
#: What separates and nests in the texts of the protocol.
_TEXTS = tuple(
    text.encode()
    for text in (
        *'{}[]:,"\\',
        *("\x01", "\x02", "\n", " ", "=", "#", "||", "@", ";", "%", "\0", "\ufeff"),
        *('\\"', "\\u0041", "\\ud800", "/*", "//", "null", "true", "NaN", "1e999"),
        *("-1", "0", "2147483648", "9223372036854775808", "9" * 40, "9" * 5000, "1.5"),
        *('{"$ref":"$"}', '{"$ref":"$.a"}', '{"$ref":"$.a[0]"}', '{"a":1}', "{0:1}"),
        *("\u0663", "\u00e9", "\U0001f600", "x" * 128, "x" * 256),
    )
)
PIECES = (*_NUMBERS, *_TEXTS, b"\xff", b"\xc3", b"\xed\xa0\x80")


class Edit(msgspec.Struct, frozen=True):
    """
    One change.

    :ivar at: where, as a fraction of the length in 65,536ths.
    :ivar size: how many bytes are replaced.
    :ivar piece: by what.
    :ivar times: how often it is repeated.
    """

    at: int
    size: int
    piece: bytes
    times: int = 1

    def apply(self, data: bytes) -> bytes:
        """Return the input with this change."""
        start = self.at * len(data) >> 16
        piece = self.piece * self.times
        return data[:start] + piece + data[start + self.size :]


def mutated(seed: bytes, edits: Sequence[Edit], cut: int) -> bytes:
    """
    Apply edits in turn, then cut the end off.

    :param cut: how much is kept, in 65,536ths; 0 keeps all.
    """
    for edit in edits:
        seed = edit.apply(seed)[:LONGEST]
    return seed[: cut * len(seed) >> 16] if cut else seed


def inputs(target: Target, most_times: int = 256) -> st.SearchStrategy[bytes]:
    """
    Make inputs of a target: mutations of its seeds, and pieces joined.

    :param most_times: how often a piece is repeated at most.
    """
    seeds = list(target.seeds())
    piece = st.sampled_from((*PIECES, *target.pieces)) | st.binary(max_size=8)
    parts = st.sampled_from(seeds).flatmap(_part)
    edit = st.builds(
        Edit,
        at=st.integers(0, 65535),
        size=st.sampled_from((0, 0, 0, 1, 1, 2, 4, 8, 64, 1024)),
        piece=piece | parts,
        times=st.sampled_from((1, 1, 1, 1, 2, 16, most_times)),
    )
    edits = st.lists(edit, max_size=6)
    cut = st.just(0) | st.integers(0, 65535)
    starts: st.SearchStrategy[bytes] = st.sampled_from(seeds)
    if target.amplifiers:
        amplifiers = st.sampled_from(list(target.amplifiers.values()))
        sizes = st.integers(1, 2 * most_times)
        starts |= st.builds(_amplified, amplifiers, sizes)
    mutations = st.builds(mutated, starts, edits, cut)
    return mutations | st.lists(piece, max_size=40).map(_joined)


def _part(seed: bytes) -> st.SearchStrategy[bytes]:
    """Make parts of a seed."""
    last = max(len(seed) - 1, 0)
    return st.integers(0, last).map(lambda at: seed[at : at + 64])


def _amplified(amplifier: Amplifier, size: int) -> bytes:
    return amplifier(size)[:LONGEST]


def _joined(pieces: list[bytes]) -> bytes:
    return b"".join(pieces)[:LONGEST]
