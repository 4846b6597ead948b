"""
Held pulls (long polling): pulls that wait for a message.

A pull that finds nothing new is held, by topic and queue, until a message that it
matches arrives there, or until its deadline. Then the store is read once more, and the
result is the response. Arrivals are recorded while messages are stored, and the pulls
they wake are run once at the end of the reactor iteration, many of them in slices
(:mod:`rocketmq_tw.broker.pull.waking`).

Source: ``PullRequestHoldService`` of RocketMQ 5, which checks every 5 s; here it is
every second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from rocketmq_tw.broker.pull.due import RESPONSES
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable, Key
from rocketmq_tw.broker.pull.waking import Arrivals, Waking
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.fields import Response

#: Seconds between two checks of the deadlines.
PERIOD = 1.0
#: No pull is held for longer, in seconds.
LONGEST = 3600.0
#: In place of the tags codes where all pulls are woken.
_ANY = (0,)


class HeldPulls:
    """
    Holds pulls, and responds to them.

    It listens to the store's arrivals only while pulls are held.

    :param limit: how many pulls are held in all (``maxHeldPulls``).
    :param limit_per_connection: how many of one (``maxHeldPullsPerConnection``).
    :param max_tags: how many tags their filters may have (``maxHeldPullTags``).
    """

    _log = Logger()

    def __init__(
        self,
        *,
        store: IMessageStore,
        clock: IReactorTime,
        limit: int = 100_000,
        limit_per_connection: int = 10_000,
        max_tags: int = 4_000_000,
    ) -> None:
        self._store = store
        self._clock = clock
        self._table = HeldPullTable(
            limit=limit,
            limit_per_connection=limit_per_connection,
            max_tags=max_tags,
        )
        # Not while the store notifies of an arrival: more messages of a batch may
        # follow.
        self._waking = Waking(
            table=self._table,
            clock=clock,
            wake=self._wake,
            between=self._listen_while_needed,
        )
        self._arrivals = Arrivals()
        self._ticks = 0
        self._last_tick_time = clock.seconds()
        self._tick = LoopingCall(self._expire)
        self._tick.clock = clock

    def __len__(self) -> int:
        """Return how many pulls are held."""
        return len(self._table)

    @property
    def tags(self) -> int:
        """Return how many tags the filters of held pulls have."""
        return self._table.tags

    @property
    def refused(self) -> int:
        """Return how many pulls were refused because of a limit."""
        return self._table.refused

    def start(self) -> None:
        """Start checking the deadlines."""
        self._last_tick_time = self._clock.seconds()
        self._tick.start(PERIOD, now=False).addErrback(
            lambda f: self._log.failure("held pulls are no longer watched", f)
        )

    def stop(self) -> Deferred[None]:
        """
        Respond to all held pulls, and stop checking.

        :returns: fires when all have their responses whose peers read.
        """
        if self._tick.running:
            self._tick.stop()
        self._arrivals.clear()
        return self._waking.stop().addCallback(lambda _: self._stopped())

    def wake_all(self) -> Deferred[None]:
        """Respond to all held pulls, as when their time is over."""
        return self._waking.respond_to_all()

    def _stopped(self) -> None:
        """Watch for no more messages."""
        self._store.remove_listener(self._arrived)

    def hold(
        self,
        topic: str,
        queue_id: int,
        *,
        timeout: float,
        peer: Peer,
        matches: Callable[[int], bool] | None,
        read: Callable[[], Response | Deferred[Any]],
        tags: int = 0,
    ) -> Deferred[Response | None]:
        """
        Hold a pull.

        :param timeout: the longest time to hold it, in seconds.
        :param matches: tests a tags code; None accepts all.
        :param read: reads the store once more, for the response.
        :param tags: how many tags ``matches`` compares with.
        :returns: fires with the response, or None if the connection was lost.
        :raises TooManyHeldPulls: a limit is reached.
        """
        response: Deferred[Response | None] = Deferred()
        self._table.add(
            HeldPull(
                key=(topic.encode(), queue_id),
                peer=peer,
                last_tick=self._tick_after(timeout),
                matches=matches,
                read=read,
                response=response,
                tags=tags,
            )
        )
        self._store.add_listener(self._arrived)
        return response

    def connection_lost(self, peer: Peer) -> None:
        """Drop the pulls of a lost connection, many of them in slices."""
        pulls = self._table.of_peer(peer)
        self._waking.finish(self._drop(pulls), len(pulls))
        self._listen_while_needed()

    def _drop(self, pulls: list[HeldPull]) -> Iterator[None]:
        """Drop pulls of a lost connection; a step is one of them."""
        for pull in pulls:
            yield
            if self._table.finish(pull):
                pull.response.callback(None)

    def _tick_after(self, timeout: float) -> int:
        """Return the first tick that comes after some seconds, at least the next."""
        since = self._clock.seconds() - self._last_tick_time
        if not 0.0 <= since <= PERIOD:
            since = PERIOD  # the clock was set
        ticks = ceil(((timeout if timeout < LONGEST else LONGEST) + since) / PERIOD)
        return self._ticks + (ticks if ticks > 0 else 1)

    def _arrived(
        self, topic: bytes, queue_id: int, _next: int, tags_code: int, _time: int
    ) -> None:
        """Wake the pulls that match a new message, or let them be tested."""
        key = topic, queue_id
        waiting = self._table.by_queue.get(key)
        if waiting is None:
            return
        if len(waiting) > RESPONSES:
            self._test_later(key, tags_code)
            return
        for pull in list(waiting):
            if pull.matches is None or pull.matches(tags_code):
                self._wake(pull)

    def _test_later(self, key: Key, tags_code: int) -> None:
        """Let the many pulls of a queue be tested in the next reactor iterations."""
        if self._arrivals.note(key, tags_code):
            self._waking.scan(self._scan_queue(key))

    def _scan_queue(self, key: Key) -> Iterator[None]:
        """Wake the pulls of a queue that match what arrived; a step is one test."""
        codes = self._arrivals.take(key)
        for pull in list(self._table.by_queue.get(key, ())):
            if not pull.is_waiting:
                continue
            for code in _ANY if codes is None else codes:
                yield
                if not pull.is_waiting:
                    break
                if codes is None or pull.matches is None or pull.matches(code):
                    self._wake(pull)
                    break

    def _expire(self) -> None:
        """Wake the pulls past their deadline."""
        self._ticks += 1
        self._last_tick_time = self._clock.seconds()
        over = self._table.take_over(self._ticks)
        if over:
            self._waking.scan(self._waking.wake_each(over))

    def _wake(self, pull: HeldPull) -> None:
        """Respond to a pull at the end of this reactor iteration, or later."""
        self._table.wake(pull)
        self._waking.add(pull)

    def _listen_while_needed(self) -> None:
        """Listen no more once no pull waits."""
        if not self._table.by_queue:
            self._store.remove_listener(self._arrived)
