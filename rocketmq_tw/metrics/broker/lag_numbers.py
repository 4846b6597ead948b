"""The numbers of some groups: how many messages of each queue they have not read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import gt, is_not, or_, sub

import msgspec

from rocketmq_tw.metrics.broker.first_times import NONE
from rocketmq_tw.metrics.chunks import sums


class Numbers(msgspec.Struct, frozen=True):
    """
    The numbers of a page. Lists are of queues, those of lag and left of groups.

    :ivar committed: the offsets of the groups.
    :ivar sent: up to where messages were sent; the same list where that is not known.
    :ivar ends: where the queues end, and ``begins`` where they begin.
    :ivar behind: how many messages the groups have not committed.
    :ivar firsts: the queue offsets of the first of them.
    :ivar starts: those of the first messages that were not sent.
    :ivar lag: how many messages the groups have not committed, of all their queues.
    :ivar left: how many were not sent.
    """

    committed: list[int] = []
    sent: list[int] = []
    ends: list[int] = []
    begins: list[int] = []
    behind: list[int] = []
    firsts: list[int] = []
    starts: list[int] = []
    lag: list[int] = []
    left: list[int] = []

    def differing(self, committed: list[int], ends: list[int]) -> list[int]:
        """Return the queues that end elsewhere, or whose offsets are others."""
        differ = map(is_not, ends, self.ends)
        if committed is not self.committed:
            differ = map(or_, differ, map(is_not, committed, self.committed))
        return list(compress(range(len(ends)), differ))

    def moved(
        self,
        committed: list[int],
        ends: list[int],
        moved: Sequence[int],
        groups: Sequence[int],
    ) -> Numbers:
        """
        Return the numbers with other offsets and ends, where nothing was sent.

        :param moved: the queues of which either is another.
        :param groups: the group of each queue.
        """
        behind, firsts, lag = self.behind.copy(), self.firsts.copy(), self.lag.copy()
        begins = self.begins
        for at in moved:
            # As _within does, without calls.
            first, begin, end = committed[at], begins[at], ends[at]
            first = begin if first < begin else first
            first = end if first > end else first
            count = end - first
            lag[groups[at]] += count - behind[at]
            behind[at] = count
            firsts[at] = first if count else NONE
        return Numbers(
            committed, committed, ends, begins, behind, firsts, firsts, lag, lag
        )


def numbers_of(
    committed: list[int],
    sent: list[int],
    begins: list[int],
    ends: list[int],
    spans: Sequence[slice],
) -> Numbers:
    """
    Return the numbers of some groups.

    :param sent: up to where they were sent messages; the same list as that of what they
        have committed where that is not known.
    :param spans: the queues of each.
    """
    firsts = _within(begins, committed, ends)
    behind = list(map(sub, ends, firsts))
    lag = sums(behind, spans)
    first_offsets = _first_offsets(firsts, behind)
    if sent is committed:
        starts, left = first_offsets, lag
    else:
        ready_from = list(map(max, firsts, map(min, sent, ends)))
        ready = list(map(sub, ends, ready_from))
        starts, left = _first_offsets(ready_from, ready), sums(ready, spans)
    return Numbers(
        committed, sent, ends, begins, behind, first_offsets, starts, lag, left
    )


def _within(begins: list[int], offsets: list[int], ends: list[int]) -> list[int]:
    """Return offsets of which none is before its begin, or behind its end."""
    is_within = not any(begins) or not any(map(gt, begins, offsets))
    if is_within and not any(map(gt, offsets, ends)):
        return offsets
    return list(map(min, map(max, offsets, begins), ends))


def _first_offsets(offsets: list[int], counts: list[int]) -> list[int]:
    """Return the offsets of the first of some messages; -1 where there is none."""
    found = [NONE] * len(offsets)
    for each in compress(range(len(offsets)), counts):
        found[each] = offsets[each]
    return found
