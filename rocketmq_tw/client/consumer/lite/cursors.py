"""
How far the application has come in each assigned queue.

::

    queue offsets   10 .. 19      20 .. 29        30 .. 49       50 ..
                    dealt with    in its hands    in the cache   at the broker
                            committed             position       next pull

Messages that a poll has returned are *in hand* until the application polls again: only
then has it dealt with them, and they may be committed.

Source: ``AssignedMessageQueue`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable

from rocketmq_tw.client.consumer.fetcher import Fetcher
from rocketmq_tw.client.consumer.process_queue import ProcessQueue, QueueState
from rocketmq_tw.client.errors import NotAssigned
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue


class Cursor:
    """
    The position in one assigned queue.

    :ivar messages: the pulled messages that no poll has returned yet.
    :ivar fetcher: pulls the queue.
    :ivar position: the queue offset at which the next poll continues.
    :ivar in_hand: the messages that the last poll has returned.
    """

    __slots__ = ("fetcher", "in_hand", "messages", "position", "queue")

    def __init__(self, fetcher: Fetcher, position: int) -> None:
        self.queue = fetcher.queue
        self.messages: ProcessQueue = fetcher.messages
        self.fetcher = fetcher
        self.position = position
        self.in_hand: list[StoredMessage] = []

    @property
    def is_open(self) -> bool:
        """Whether its messages may be returned: not while it is released or paused."""
        return self.messages.state is QueueState.OPEN and not self.fetcher.paused

    def take(self, limit: int) -> list[StoredMessage]:
        """Move the first messages from the cache into the application's hands."""
        messages = self.messages.head(limit)
        if messages:
            self.messages.remove(messages)
            self.position = messages[-1].queue_offset + 1
            if not len(self.messages):
                # What comes after did not match the subscription.
                self.position = max(self.position, self.fetcher.next_offset)
            if not self.in_hand:
                self.messages.begin()
            self.in_hand += messages
        return messages

    def put_back(self) -> None:
        """Return the messages in hand to the cache: nobody has received them."""
        messages = self.in_hand
        if messages:
            self.position = messages[0].queue_offset
            self.drop_hand()
            if self.messages.state is not QueueState.DROPPED:
                self.messages.put(messages)

    def drop_hand(self) -> None:
        """Forget the messages in hand, without having dealt with them."""
        if self.in_hand:
            self.in_hand = []
            self.messages.end()

    def move(self, offset: int) -> None:
        """Continue at another queue offset; what was pulled is forgotten."""
        self.fetcher.stop()
        self.messages.clear()
        self.drop_hand()
        self.position = offset
        self.fetcher.start(offset)


class Cursors:
    """
    The cursors of all assigned queues. For fetchers these are the offsets.

    :param consumed: called with a queue, and the offset up to which the application has
        dealt with its messages.
    :ivar abandoned: messages that :meth:`abandon` has given up.
    """

    def __init__(self, consumed: Callable[[MessageQueue, int], None]) -> None:
        self._consumed = consumed
        self._by_queue: dict[MessageQueue, Cursor] = {}
        #: Those with messages in hand.
        self._in_hand: list[Cursor] = []
        self.abandoned: list[StoredMessage] = []

    def begin(self, fetcher: Fetcher, offset: int) -> None:
        """Start a cursor for a queue that was acquired."""
        self._by_queue[fetcher.queue] = Cursor(fetcher, offset)

    def forget(self, messages: ProcessQueue) -> None:
        """Forget a queue that was released."""
        cursor = self._by_queue.get(messages.queue)
        if cursor is not None and cursor.messages is messages:
            del self._by_queue[messages.queue]

    def find(self, queue: MessageQueue) -> Cursor | None:
        """Return the cursor of a queue; None if it is not assigned."""
        return self._by_queue.get(queue)

    def get(self, queue: MessageQueue) -> Cursor:
        """
        Return the cursor of a queue.

        :raises NotAssigned: it is not assigned, or being released.
        """
        cursor = self._by_queue.get(queue)
        if cursor is None or cursor.messages.state is not QueueState.OPEN:
            raise NotAssigned(queue)
        return cursor

    def positions(self) -> dict[MessageQueue, int]:
        """Return the position in every assigned queue."""
        return {queue: cursor.position for queue, cursor in self._by_queue.items()}

    # -- messages in hand

    @property
    def in_hand(self) -> list[StoredMessage]:
        """All messages in hand."""
        return [message for cursor in self._in_hand for message in cursor.in_hand]

    def take(self, cursor: Cursor, limit: int) -> list[StoredMessage]:
        """Take messages of one queue; see :meth:`Cursor.take`."""
        had = bool(cursor.in_hand)
        messages = cursor.take(limit)
        if messages and not had:
            self._in_hand.append(cursor)
        return messages

    def confirm(self) -> None:
        """The application has dealt with the messages in hand."""
        cursors, self._in_hand = self._in_hand, []
        for cursor in cursors:
            if not cursor.in_hand:
                # It was moved meanwhile.
                continue
            if cursor.messages.state is not QueueState.DROPPED:
                self._consumed(cursor.queue, cursor.position)
            cursor.drop_hand()

    def put_back(self) -> list[Cursor]:
        """Return the messages in hand to the cache, and the cursors they are of."""
        cursors, self._in_hand = self._in_hand, []
        for cursor in cursors:
            cursor.put_back()
        return cursors

    def abandon(self) -> None:
        """Wait no longer until the application has dealt with the messages in hand."""
        self.abandoned += self.in_hand
        cursors, self._in_hand = self._in_hand, []
        for cursor in cursors:
            cursor.drop_hand()

    # -- the offsets of fetchers

    def for_pull(self, _queue: MessageQueue) -> int:
        """Return 0: pulls commit nothing."""
        return 0

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Skip messages that did not match the subscription."""
        cursor = self._by_queue.get(queue)
        if cursor is not None and offset > cursor.position:
            cursor.position = offset
            if not cursor.in_hand:
                self._consumed(queue, offset)

    def note_sent(self, queue: MessageQueue, offset: int) -> bool:
        """Do nothing: pulls commit nothing."""
        return False

    def note_lost(self, queue: MessageQueue) -> None:
        """Do nothing: pulls commit nothing."""
