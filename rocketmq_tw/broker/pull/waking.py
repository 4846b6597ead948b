"""
Wakes requests that wait for a message, and lets them respond, in slices.

Thousands may wait at one queue, or of one connection. A reactor iteration takes at most
:data:`MATCHES` steps of what is to be looked through, for half of a slice of
:data:`~rocketmq_tw.broker.pull.due.SLICE` seconds; in the rest of it some of those that
are due get their responses (:mod:`rocketmq_tw.broker.pull.due`). The others follow in
the next iterations, so other requests are handled between them.

Source: none; Apache RocketMQ has threads of its own for this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rocketmq_tw.broker.pull.due import RESPONSES, SLICE, DuePulls
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable, Key
from rocketmq_tw.store.files.slices import in_slices

#: How many steps are taken in one reactor iteration; a step is the test of a tags code
#: once a queue has more requests than ``RESPONSES``.
MATCHES = 2000
#: After so many of them the time is looked at.
_UNTIMED = 50
#: After so many different tags codes in one reactor iteration all are woken.
_MAX_CODES = 64


class Arrivals:
    """The tags codes of what arrived at queues, for those whose waiters are tested."""

    def __init__(self) -> None:
        #: None for all codes.
        self._codes: dict[Key, set[int] | None] = {}

    def note(self, key: Key, tags_code: int) -> bool:
        """Record a message; return whether it is the first since :meth:`take`."""
        if key not in self._codes:
            self._codes[key] = {tags_code}
            return True
        codes = self._codes[key]
        if codes is not None:
            codes.add(tags_code)
            if len(codes) > _MAX_CODES:
                self._codes[key] = None
        return False

    def take(self, key: Key) -> set[int] | None:
        """Return what has arrived at a queue, and forget it; None for all codes."""
        return self._codes.pop(key)

    def clear(self) -> None:
        """Forget all."""
        self._codes.clear()


class Waking:
    """
    The work of one table of waiting requests.

    :param wake: makes one of them due, with :meth:`add`.
    :param between: called after some steps, before some of those that are due respond.
    """

    def __init__(
        self,
        *,
        table: HeldPullTable,
        clock: IReactorTime,
        wake: Callable[[HeldPull], None],
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._table = table
        self._clock = clock
        self._wake = wake
        self._between = between
        self._due = DuePulls(table=table, clock=clock, schedule=self._schedule)
        self._scans: deque[Iterator[None]] = deque()
        self._scheduled: IDelayedCall | None = None

    def add(self, held: HeldPull) -> None:
        """Let one respond at the end of this reactor iteration, or later."""
        self._due.add(held)
        self._schedule()

    def scan(self, steps: Iterator[None]) -> None:
        """Look through something in this and the next reactor iterations."""
        self._scans.append(steps)
        self._schedule()

    def finish(self, steps: Iterator[None], count: int) -> None:
        """Take few steps at once, and many in slices."""
        if count > RESPONSES:
            self.scan(steps)
            return
        for _ in steps:
            pass

    def wake_each(self, over: Iterable[HeldPull]) -> Iterator[None]:
        """Wake those that still wait; a step is one of them."""
        for held in over:
            yield
            if held.is_waiting:
                self._wake(held)

    def respond_to_all(self) -> Deferred[None]:
        """Wake all that wait now; fires when they have their responses."""
        return in_slices(self._all(), self._clock)

    def _all(self) -> Iterator[None]:
        """Wake all that wait now, in slices."""
        for key in list(self._table.by_queue):
            for held in list(self._table.by_queue.get(key, ())):
                if held.is_waiting:
                    self._wake(held)
                if len(self._due) >= RESPONSES:
                    self._respond_due()
                    yield
        self._respond_due()
        while self._due:
            yield
            self._respond_due()

    def stop(self) -> Deferred[None]:
        """
        Look through nothing any more, and wake all that wait.

        :returns: fires when they have their responses, and nothing is scheduled.
        """
        self._scans.clear()
        return self.respond_to_all().addCallback(lambda _: self._cancel())

    def _cancel(self) -> None:
        """Leave nothing scheduled."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _schedule(self) -> None:
        """Do a slice of what is to be done at the end of this reactor iteration."""
        if self._scheduled is None:
            self._scheduled = self._clock.callLater(0, self._work)

    def _work(self) -> None:
        """Take some steps, and let some of those respond that are due."""
        self._scheduled = None
        until = self._clock.seconds() + SLICE
        self._scan(until - SLICE / 2)
        self._between()
        self._due.respond(RESPONSES, until)
        if self._due or self._scans:
            self._schedule()

    def _scan(self, until: float) -> None:
        """Take some steps of what is to be looked through."""
        steps, scans = MATCHES, self._scans
        while steps and scans:
            try:
                next(scans[0])
                steps -= 1
            except StopIteration:
                scans.popleft()
            if steps % _UNTIMED == 0 and self._clock.seconds() >= until:
                break

    def _respond_due(self) -> None:
        """Let some respond that are due."""
        self._due.respond(RESPONSES, self._clock.seconds() + SLICE)
