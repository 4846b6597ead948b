"""
Asynchronous iteration over the messages of a pull consumer.

The end of a loop's body is what a poll is otherwise: the messages have been dealt with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar
from weakref import ref

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.lite.delivery import Delivery
from rocketmq_tw.model.message import StoredMessage

T = TypeVar("T")


class Iteration(Generic[T]):
    """
    One loop over a consumer's messages; it ends when the consumer is stopped.

    :param limit: how many messages one item contains at most.
    :ivar item: makes the item of a list of messages.
    """

    def __init__(
        self,
        delivery: Delivery,
        limit: int,
        item: Callable[[list[StoredMessage]], T],
    ) -> None:
        self._delivery = delivery
        self._limit = limit
        self.item = item

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """Return the next item; what came before has been dealt with."""
        messages = await self.poll()
        if not messages:
            raise StopAsyncIteration
        return self.item(messages)

    def poll(self) -> Deferred[list[StoredMessage]]:
        """Return the messages of the next item; none at the end."""
        return self._delivery.poll_or_end(self._limit)


class Iterations:
    """
    The loops over a consumer's messages that have not ended; false without any.

    A loop that was left by ``break`` or an exception has dropped its
    :class:`Iteration`.

    :param on_left: called when there are no more loops.
    """

    def __init__(self, delivery: Delivery, on_left: Callable[[], None]) -> None:
        self._delivery = delivery
        self._on_left = on_left
        self._running: set[ref[Iteration[Any]]] = set()

    def __bool__(self) -> bool:
        return bool(self._running)

    def begin(
        self, limit: int, item: Callable[[list[StoredMessage]], T]
    ) -> Iteration[T]:
        """Begin a loop."""
        iteration = Iteration(self._delivery, limit, item)
        self._running.add(ref(iteration, self._left))
        return iteration

    def _left(self, iteration: ref[Iteration[Any]]) -> None:
        """Forget a loop that has ended or was left."""
        self._running.discard(iteration)
        if not self._running:
            self._on_left()
