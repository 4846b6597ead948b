"""
Responses that do not end: a line of JSON for each message, as it comes.

A stream begins once its source is open; if it cannot be opened, the response is a
refusal with a status, as for any other request.

A browser that reads too slowly is waited for: the next message is asked for when the
last one has left. One that reads nothing for a while is disconnected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.clock import PeriodicCall
from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.web.request import ConsoleRequest
from rocketmq_tw.model.errors import RocketMQError

#: Opens the source of a stream.
Opening = Callable[[], "Deferred[AsyncIterator[Any]]"]

#: Seconds between two signs of life, which also notice a browser that has gone.
_BEAT = 15.0
#: Seconds for which a browser may read nothing.
_LONGEST_PAUSE = 60.0


class Streams:
    """
    The streams that there are.

    :param most: how many there may be at once.
    :param is_current: whether who sent a request is signed in still.
    :param refuse: responds to a request whose source cannot be opened.
    """

    def __init__(
        self,
        clock: IReactorTime,
        most: int,
        is_current: Callable[[ConsoleRequest], bool],
        refuse: Callable[[ConsoleRequest, Failure], None],
    ) -> None:
        self._clock = clock
        self._is_current = is_current
        self._refuse = refuse
        self._most = most
        # At most as many as may be.
        self._streams: set[Stream] = set()

    def start(self, request: ConsoleRequest, opening: Opening) -> None:
        """
        Open a source, and send its lines.

        :raises HttpError: there are too many streams already; nothing is opened.
        """
        if len(self._streams) >= self._most:
            why = f"there are {self._most} live tails already, as many as may be"
            raise HttpError(429, why)
        stream = Stream(self._clock, request, self._is_current, self._refuse)
        self._streams.add(stream)
        stream.start(opening()).addBoth(lambda _: self._streams.discard(stream))

    def stop(self) -> None:
        """End all."""
        for stream in list(self._streams):
            stream.stopProducing()


@implementer(IPushProducer)
class Stream:
    """One response, until its reader or its source ends."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        request: ConsoleRequest,
        is_current: Callable[[ConsoleRequest], bool],
        refuse: Callable[[ConsoleRequest, Failure], None],
    ) -> None:
        self._clock = clock
        self._is_current = is_current
        self._refuse = refuse
        self._request = request
        # Whether the response has begun: its status cannot be changed any more.
        self._has_begun = False
        self._resumed: Deferred[None] | None = None
        self._running: Deferred[None] | None = None
        self._beat: LoopingCall = PeriodicCall(self._sign_of_life, clock)
        self._paused_at: float | None = None

    def start(self, opening: Deferred[AsyncIterator[Any]]) -> Deferred[None]:
        """Send when the source is open; fires when the stream has ended."""
        self._request.notifyFinish().addErrback(lambda _: self.stopProducing())
        running = self._running = Deferred.fromCoroutine(self._send_all(opening))
        running.addErrback(self._failed)
        return running.addCallback(lambda _: self._end())

    def _begin(self) -> None:
        """Begin the response."""
        self._has_begun = True
        request = self._request
        request.setHeader("X-Accel-Buffering", "no")
        request.start_response(200, "application/x-ndjson")
        request.registerProducer(self, True)
        self._beat.start(_BEAT)

    async def _send_all(self, opening: Deferred[AsyncIterator[Any]]) -> None:
        """Send each line once the one before has left."""
        lines = await opening
        self._begin()
        try:
            async for line in lines:
                self._request.write(msgspec.json.encode(line) + b"\n")
                if self._paused_at is not None:
                    self._resumed = Deferred()
                    await self._resumed
        finally:
            close = getattr(lines, "aclose", None)
            if close is not None:
                await close()

    def _sign_of_life(self) -> None:
        """Send an empty line; end it if nobody reads, or the session has ended."""
        paused_at = self._paused_at
        if not self._is_current(self._request):
            self.stopProducing()
        elif paused_at is None:
            self._request.write(b"\n")
        elif self._clock.seconds() - paused_at > _LONGEST_PAUSE:
            self._request.channel.abort()

    def _failed(self, failure: Failure) -> None:
        """Send the reason as the last line, or as the response."""
        if not self._has_begun:
            if failure.check(CancelledError) and not self._request.is_gone:
                failure = Failure(HttpError(503, "the console stops"))
            self._refuse(self._request, failure)
            return
        if failure.check(CancelledError):
            return
        why = failure.getErrorMessage()
        if not failure.check(RocketMQError):
            self._log.failure("the console could not send a stream", failure)
            why = "the console failed; the log of its broker says how"
        if not self._request.is_gone:
            self._request.write(msgspec.json.encode({"error": why}) + b"\n")

    def _end(self) -> None:
        """Complete the response, if somebody is there."""
        if self._beat.running:
            self._beat.stop()
        if self._has_begun and not self._request.is_gone:
            self._request.unregisterProducer()
            self._request.finish()

    def pauseProducing(self) -> None:
        """The browser reads too slowly."""
        self._paused_at = self._clock.seconds()

    def resumeProducing(self) -> None:
        """It has read what was sent."""
        self._paused_at = None
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """Nobody reads any more."""
        if self._running is not None:
            self._running.cancel()
