"""
The messages of a topic, as they come.

Queues that a topic gets later are read, too: from the first message on that was stored
after this has begun, for a broker that comes back brings old ones along.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.found import found
from rocketmq_tw.admin.reading import QueuesReader, Spot
from rocketmq_tw.admin.results.messages import FoundMessage
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.clock import wall_time
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.errors import BrokerError, TransportError

#: Seconds that a broker may hold a pull.
WAIT = 10.0
#: Seconds after which it looks for queues that are new.
LOOK = 10.0
#: Queues that are read, besides those that there are at the start.
MOST_NEW = 4096
#: Seconds after which a broker that could not be read is asked again.
RETRY = 1.0


class Tail:
    """
    Iterates over new messages: one pull waits at the broker of each queue.

    :param find: returns the queues.
    :param limit: how many messages may wait; beyond it no pull is sent.
    :ivar failing: the queues that cannot be read now, and why; they are tried again,
        but those that a broker refused at the start.
    """

    def __init__(
        self,
        calls: Calls,
        find: Callable[[], Awaitable[Mapping[str, Spot]]],
        expression: str,
        limit: int,
    ) -> None:
        self._calls = calls
        self._reader = QueuesReader(calls)
        self._find = find
        self._expression = expression
        self._limit = limit
        self._running: list[Deferred[None]] = []
        #: The queues that are read, or were, until a broker refused it.
        self._known: set[str] = set()
        self._since = datetime(1970, 1, 1, tzinfo=UTC)
        self._started = False
        self._closed = False
        self._error: BaseException | None = None
        # len(_messages) < _limit + PER_PULL * queues
        self._messages: deque[FoundMessage] = deque()
        self._taker: Deferred[None] | None = None
        self._permits: list[Deferred[None]] = []
        self.failing: dict[str, str] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> FoundMessage:
        """
        Return the next message.

        :raises NotFound: there is no such topic.
        """
        if not self._started:
            await self.start()
        while not self._messages:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._taker = Deferred()
            await self._taker
        message = self._messages.popleft()
        if len(self._messages) < self._limit:
            permits, self._permits = self._permits, []
            for permit in permits:
                permit.callback(None)
        return message

    async def start(self) -> None:
        """
        Find the ends of the queues: what is stored afterwards is returned.

        The first :meth:`__anext__` does this if it was not done before.
        """
        self._started = True
        now = wall_time(self._calls.session.clock)()
        self._since = datetime.fromtimestamp(now, UTC)
        spots = await self._find()
        ends = await self._calls.each(
            {name: name for name in spots},
            lambda name: self._reader.max_offset(spots[name]),
        )
        ends.need_one("no queue can be read")
        self.failing.update(ends.failed)
        self._known = set(spots)
        for name, spot in spots.items():
            if not _is_lasting(ends.errors.get(name)):
                self._run(self._follow(spot, ends.ok.get(name)))
        self._run(self._look())

    def _run(self, reading: Coroutine[Any, Any, None]) -> None:
        """Run what :meth:`aclose` cancels."""
        running = Deferred.fromCoroutine(reading)
        running.addErrback(self._ended)
        self._running.append(running)

    async def _look(self) -> None:
        """Follow queues that are new, until this is cancelled."""
        most = len(self._known) + MOST_NEW
        while True:
            await self._sleep(LOOK)
            try:
                spots = await self._find()
            except RocketMQError:
                continue  # whoever reads the queues finds out what is wrong
            for name, spot in spots.items():
                if name in self._known:
                    continue
                if len(self._known) >= most:
                    self.failing["more queues"] = f"{most} are read already"
                else:
                    self._known.add(name)
                    self._run(self._follow(spot, None))

    async def aclose(self) -> None:
        """Cancel the pulls; iterating ends."""
        self._closed = True
        running, self._running = self._running, []
        for reading in running:
            reading.cancel()
        self._wake()

    async def __aenter__(self) -> Self:
        """Begin at the present ends of the queues."""
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Cancel the pulls."""
        await self.aclose()

    async def _follow(self, spot: Spot, offset: int | None) -> None:
        """
        Read one queue until this is cancelled.

        :param offset: where to begin; None for what is stored since the start.
        """
        since_ms = 0
        while not self._closed:
            if len(self._messages) >= self._limit:
                permit: Deferred[None] = Deferred()
                self._permits.append(permit)
                await permit
            try:
                if offset is None:
                    offset = await self._reader.search(spot, self._since)
                    # Brokers of 4.x find the last message if all are older.
                    since_ms = to_ms(self._since)
                result = await self._reader.pull(
                    spot, offset, wait=WAIT, expression=self._expression
                )
            except TransportError as error:
                self.failing[spot.name] = str(error)
                await self._sleep()
                continue
            except BrokerError as error:
                if _is_lasting(error):
                    raise
                self.failing[spot.name] = str(error)
                await self._sleep()
                continue
            self.failing.pop(spot.name, None)
            offset = result.next_offset
            self._messages.extend(
                found(each)
                for each in result.messages
                if each.store_time_ms >= since_ms
            )
            if result.messages:
                self._wake()

    def _sleep(self, seconds: float = RETRY) -> Deferred[None]:
        """Wait before somebody is asked again."""
        delayed: Deferred[None] = Deferred(lambda _: timer.cancel())
        timer = self._calls.session.clock.callLater(seconds, delayed.callback, None)
        return delayed

    def _ended(self, failure: Failure) -> None:
        """Let the taker fail, unless this was cancelled."""
        if failure.check(CancelledError) and self._closed:
            return
        self._error = self._error or failure.value
        self._wake()

    def _wake(self) -> None:
        """Let the taker look again."""
        taker, self._taker = self._taker, None
        if taker is not None and not taker.called:
            taker.callback(None)


def _is_lasting(error: Exception | None) -> bool:
    """Whether a broker refuses, and would do so again."""
    return isinstance(error, BrokerError) and not error.retryable
