"""
Writes the messages of a pull consumer to a Twisted consumer, such as a transport.

Where that cannot take more it pauses the stream; then the cache fills up to its limits,
and nothing more is pulled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.client.consumer.lite.iteration import Iteration
from rocketmq_tw.model.message import StoredMessage


@implementer(IPushProducer)
class Stream:
    """
    One stream. A message that was written has been dealt with.

    :param loop: the loop over the messages to write.
    :param to: a transport, or another consumer of bytes.
    :param encode: makes the bytes of a message.
    :ivar done: fires when the consumer is stopped, or ``to`` takes no more; fails if
        ``encode`` does. Cancelling it ends the stream.
    """

    def __init__(
        self,
        loop: Iteration[StoredMessage],
        to: IConsumer,
        encode: Callable[[StoredMessage], bytes],
    ) -> None:
        self._loop: Iteration[StoredMessage] | None = loop
        self._to = to
        self._encode = encode
        self._is_paused = False
        self._polling: Deferred[Any] | None = None
        self.done: Deferred[None] = Deferred(lambda _: self._end(None))

    def start(self) -> Deferred[None]:
        """Start to write; see :attr:`done`."""
        self._to.registerProducer(self, True)
        self._go_on()
        return self.done

    # -- called by the consumer of bytes

    def pauseProducing(self) -> None:
        """Write nothing until :meth:`resumeProducing`."""
        self._is_paused = True

    def resumeProducing(self) -> None:
        """Continue to write."""
        self._is_paused = False
        self._go_on()

    def stopProducing(self) -> None:
        """End: nobody takes the bytes any more."""
        self._end(None)

    # -- writing

    def _go_on(self) -> None:
        """Poll and write, until that has to wait."""
        while self._loop is not None and self._polling is None and not self._is_paused:
            found: list[Any] = []
            polling: Deferred[Any] = self._loop.poll()
            self._polling = polling
            polling.addBoth(found.append)
            if not found:
                polling.addCallback(self._polled, found)
                return
            self._write(found[0])

    def _polled(self, _: object, found: list[Any]) -> None:
        """Write what a poll has waited for, then go on."""
        self._write(found[0])
        self._go_on()

    def _write(self, outcome: list[StoredMessage] | Failure) -> None:
        """Write a message; none means the end."""
        self._polling = None
        if self._loop is None:
            return
        if isinstance(outcome, Failure):
            self._end(outcome)
        elif not outcome:
            self._end(None)
        else:
            try:
                data = self._encode(outcome[0])
            except Exception:
                self._end(Failure())
            else:
                self._to.write(data)

    def _end(self, failure: Failure | None) -> None:
        """End, once."""
        if self._loop is None:
            return
        self._loop = None
        if self._polling is not None:
            self._polling.cancel()
        self._to.unregisterProducer()
        if failure is not None:
            self.done.errback(failure)
        elif not self.done.called:
            self.done.callback(None)
