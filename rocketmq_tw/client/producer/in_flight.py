"""Limits how many messages and bytes of a producer are in flight."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from rocketmq_tw.client.errors import QueueFull
from rocketmq_tw.remoting.waiters import Waiters


class Waiting(Protocol):
    """A message that waits for a permit; compared and hashed by identity."""

    def granted(self) -> None:
        """Called with a permit, once; must not raise."""


class InFlight:
    """
    A semaphore that counts messages and bytes; permits are granted in order of arrival.

    :param max_messages: messages in flight, at most.
    :param max_size: bytes in flight, at most; a larger message is sent alone.
    :param max_waiting: how many may wait for a permit.
    :ivar messages: messages in flight now.
    :ivar size: bytes in flight now.
    """

    def __init__(
        self, max_messages: int, max_size: int, max_waiting: int = 65536
    ) -> None:
        self._max_messages = max_messages
        self._max_size = max_size
        self._max_waiting = max_waiting
        #: Sizes, in order of arrival.
        self._waiting: OrderedDict[Waiting, int] = OrderedDict()
        self._idle = Waiters()
        self._granting = False
        self.messages = 0
        self.size = 0

    def try_acquire(self, size: int) -> bool:
        """Take a permit if there is capacity and no one else waits."""
        if not self.has_permit(size):
            return False
        self.take(size)
        return True

    def has_permit(self, size: int) -> bool:
        """Whether a message of this size can be sent without waiting."""
        return not self._waiting and self._has_capacity(size)

    def check(self, size: int) -> None:
        """
        Check that a message of this size can be sent without waiting.

        :raises QueueFull: it cannot.
        """
        if not self.has_permit(size):
            why = f"{self.messages} messages of {self.size} bytes are in flight"
            raise QueueFull(why)

    def take(self, size: int) -> None:
        """Take a permit, after :meth:`has_permit` or :meth:`check`."""
        self.messages += 1
        self.size += size

    def wait(self, message: Waiting, size: int) -> None:
        """
        Wait for a permit, after :meth:`try_acquire` has failed.

        Without a Deferred and a timer of its own: tens of thousands may wait, and the
        garbage collector looks at all that they hold.

        :raises QueueFull: too many wait already.
        """
        if len(self._waiting) >= self._max_waiting:
            raise QueueFull(f"{len(self._waiting)} messages wait to be sent already")
        self._waiting[message] = size

    def stop_waiting(self, message: Waiting) -> None:
        """Wait no more; do nothing if the permit was granted."""
        self._waiting.pop(message, None)

    def release(self, size: int) -> None:
        """Return a permit, and grant the ones that are waited for."""
        self.messages -= 1
        self.size -= size
        # A message that gets a permit may fail and return it at once: the running loop
        # then continues, instead of a nested one.
        if self._waiting and not self._granting:
            self._granting = True
            try:
                self._grant()
            finally:
                self._granting = False
        if not self.messages and not self._waiting:
            self._idle.fire()

    def when_idle(self) -> Deferred[None]:
        """Fires when no message is in flight or waiting."""
        if not self.messages and not self._waiting:
            return succeed(None)
        return self._idle.add()

    def _has_capacity(self, size: int) -> bool:
        """Whether one more message of this size may be sent."""
        if not self.messages:
            return True
        return self.messages < self._max_messages and self.size + size <= self._max_size

    def _grant(self) -> None:
        """Grant as many permits as there is capacity for."""
        waiting = self._waiting
        while waiting:
            message, size = next(iter(waiting.items()))
            if not self._has_capacity(size):
                return
            del waiting[message]
            self.take(size)
            message.granted()
