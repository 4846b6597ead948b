"""
Pops that wait for a message, and notifications.

They wait by topic, group and queue, or for all queues of a topic. A message that
arrives wakes one of each group, as only one can have it; a message in a retry topic
wakes one of its group. The woken one reads the queues once more, and waits further if
others were quicker. A pop that leaves messages behind wakes the next one.

The table of those that wait, and how their responses are paced, are those of held
pulls (:mod:`rocketmq_tw.broker.pull`).

Source: ``PopLongPollingService`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from math import ceil

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.broker.errors import TooManyHeldPulls
from rocketmq_tw.broker.pull.filters import Matches
from rocketmq_tw.broker.pull.table import HeldPull, HeldPullTable
from rocketmq_tw.broker.pull.waking import Arrivals, Waking
from rocketmq_tw.model.topic import pop_retry_topic, pop_retry_topic_v2
from rocketmq_tw.remoting.call import Peer
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.pop import ALL_QUEUES

#: Seconds between two looks at the deadlines.
PERIOD = 0.1
#: No request waits longer, in seconds.
LONGEST = 600.0

#: Returns the response; None if there is none yet.
Attempt = Callable[[], Awaitable[Response | None]]


class Poll(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """
    A request that may wait.

    :ivar until: when its time is over, in seconds of the clock.
    :ivar matches: tests a tags code; None accepts all.
    :ivar tags: how many tags it compares with.
    :ivar attempt: looks for messages.
    :ivar late: returns the response when the time is over.
    """

    topic: str
    group: str
    queue_id: int
    until: float
    peer: Peer
    matches: Matches
    attempt: Attempt
    late: Callable[[], Response]
    tags: int = 0

    @property
    def share(self) -> bytes:
        """The topic and the group, as one text."""
        return f"{self.topic}@{self.group}".encode()


class PopPolling:
    """
    Holds pops and notifications, and responds to them.

    :param limit: how many may wait in all (``maxPopPollingSize``).
    :param limit_per_connection: how many of one connection.
    :param limit_per_queue: how many of a group at a queue (``popPollingSize``).
    :param max_tags: how many tags their filters may have.
    """

    _log = Logger()

    # _shares[p] is the number of requests in _table.by_queue with this topic and group.
    # _topics has each of these under the names of its topic and retry topics.

    def __init__(
        self,
        *,
        store: IMessageStore,
        clock: IReactorTime,
        limit: int = 100_000,
        limit_per_connection: int = 10_000,
        limit_per_queue: int = 1024,
        max_tags: int = 4_000_000,
    ) -> None:
        self._store = store
        self._clock = clock
        self._limit_per_queue = limit_per_queue
        self._table = HeldPullTable(
            limit=limit,
            limit_per_connection=limit_per_connection,
            max_tags=max_tags,
            settings=("maxPopPollingSize", "maxPopPollingPerConnection"),
        )
        self._waking = Waking(table=self._table, clock=clock, wake=self._wake)
        self._shares: dict[bytes, int] = {}
        self._topics: dict[bytes, dict[bytes, None]] = {}
        self._arrivals = Arrivals()
        self._is_stopped = False
        self.refused_at_queue = 0
        self._tick = LoopingCall(self._expire)
        self._tick.clock = clock

    def __len__(self) -> int:
        """Return how many requests wait."""
        return len(self._table)

    @property
    def refused(self) -> int:
        """Return how many requests were refused because of a limit."""
        return self._table.refused + self.refused_at_queue

    @property
    def tags(self) -> int:
        """Return how many tags the filters of waiting requests have."""
        return self._table.tags

    def count(self, topic: str, group: str, queue_id: int) -> int:
        """Return how many requests of a group wait at a queue."""
        share = f"{topic}@{group}".encode()
        return len(self._table.by_queue.get((share, queue_id), ()))

    def hold(self, poll: Poll) -> Deferred[Response | None]:
        """
        Let a request wait.

        :returns: fires with its response, or None if the connection was lost.
        :raises TooManyHeldPulls: a limit is reached.
        """
        response: Deferred[Response | None] = Deferred()
        waiting = self._table.by_queue.get((poll.share, poll.queue_id), ())
        if len(waiting) >= self._limit_per_queue:
            self.refused_at_queue += 1
            raise TooManyHeldPulls("popPollingSize", self._limit_per_queue, "pops")
        self._add(poll, response)
        return response

    def wake_one(self, topic: str, group: str, queue_id: int) -> None:
        """Let one request of a group look again: there are more messages."""
        share = f"{topic}@{group}".encode()
        for each in {queue_id, ALL_QUEUES}:
            waiting = self._table.by_queue.get((share, each))
            if waiting:
                self._wake(next(reversed(waiting)))
                return

    def connection_lost(self, peer: Peer) -> None:
        """Drop the requests of a lost connection, many of them in slices."""
        held = self._table.of_peer(peer)
        self._waking.finish(self._drop(held), len(held))

    def stop(self) -> Deferred[None]:
        """Respond to all; fires when they have their responses."""
        self._is_stopped = True
        self._arrivals.clear()
        return self._waking.stop().addCallback(lambda _: self._stopped())

    def _stopped(self) -> None:
        """Leave nothing scheduled."""
        if self._tick.running:
            self._tick.stop()
        self._store.remove_listener(self._arrived)

    def _add(self, poll: Poll, response: Deferred[Response | None]) -> None:
        """Let a request wait; also one that has waited before."""
        share = poll.share
        ticks = (min(poll.until, self._clock.seconds() + LONGEST)) / PERIOD
        held = HeldPull(
            key=(share, poll.queue_id),
            peer=poll.peer,
            last_tick=ceil(ticks),
            matches=poll.matches,
            read=lambda: self._look_again(poll, response),
            response=response,
            tags=poll.tags,
        )
        self._table.add(held)
        known = self._shares.get(share, 0)
        self._shares[share] = known + 1
        if not known:
            for name in _names(share):
                self._topics.setdefault(name, {})[share] = None
        self._store.add_listener(self._arrived)
        if not self._tick.running:
            self._tick.start(PERIOD, now=False).addErrback(
                lambda f: self._log.failure("waiting pops are no longer watched", f)
            )

    def _look_again(self, poll: Poll, response: Deferred[Response | None]) -> None:
        """Look for messages; wait further if there are none."""
        looked = Deferred.fromCoroutine(self._attempt(poll, response))
        looked.addErrback(lambda f: response.errback(f))

    async def _attempt(self, poll: Poll, response: Deferred[Response | None]) -> None:
        found = await poll.attempt()
        if found is not None:
            response.callback(found)
        elif not poll.peer.is_connected:
            response.callback(None)
        elif self._is_stopped or self._clock.seconds() >= poll.until:
            response.callback(poll.late())
        else:
            try:
                self._add(poll, response)
            except Exception:
                response.errback(Failure())

    def _drop(self, held: list[HeldPull]) -> Iterator[None]:
        """Drop requests of a lost connection; a step is one of them."""
        for each in held:
            yield
            was_waiting = each.is_waiting
            if self._table.finish(each):
                if was_waiting:
                    self._leave(each)
                each.response.callback(None)

    def _wake(self, held: HeldPull) -> None:
        """Let a request look again at the end of this reactor iteration, or later."""
        self._table.wake(held)
        self._leave(held)
        self._waking.add(held)

    def _leave(self, held: HeldPull) -> None:
        """Note that a request does not wait any more."""
        share = held.key[0]
        left = self._shares[share] - 1
        if left:
            self._shares[share] = left
            return
        del self._shares[share]
        for name in _names(share):
            shares = self._topics[name]
            del shares[share]
            if not shares:
                del self._topics[name]

    def _arrived(
        self, topic: bytes, queue_id: int, _next: int, tags_code: int, _time: int
    ) -> None:
        """Note a message, if anyone waits for it."""
        if topic not in self._topics:
            return
        key = topic, queue_id
        if self._arrivals.note(key, tags_code):
            self._waking.scan(self._scan(key))

    def _scan(self, key: tuple[bytes, int]) -> Iterator[None]:
        """Wake one request of each group that matches; a step is one test."""
        codes = self._arrivals.take(key)
        topic, queue_id = key
        for share in list(self._topics.get(topic, ())):
            # Whoever waits at a queue reads the retry topic too.
            for each in (ALL_QUEUES, queue_id):
                for held in list(self._table.by_queue.get((share, each), ())):
                    yield
                    if held.is_waiting and _matches(held.matches, codes):
                        self._wake(held)
                        break

    def _expire(self) -> None:
        """Let those look once more whose time is over."""
        over = self._table.take_over(int(self._clock.seconds() / PERIOD))
        if over:
            self._waking.scan(self._waking.wake_each(over))
        if not len(self._table) and self._tick.running:
            self._tick.stop()
            self._store.remove_listener(self._arrived)


def _names(share: bytes) -> tuple[bytes, ...]:
    """Return the topic and the retry topics of a topic and group."""
    topic, _, group = share.decode().partition("@")
    return (
        topic.encode(),
        pop_retry_topic(group, topic).encode(),
        pop_retry_topic_v2(group, topic).encode(),
    )


def _matches(matches: Matches, codes: set[int] | None) -> bool:
    """Return whether any of some tags codes passes a filter."""
    if matches is None or codes is None:
        return True
    return any(matches(code) for code in codes)
