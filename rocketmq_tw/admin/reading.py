"""
Reads queues at their brokers, without a consumer group of its own.

Positions of many queues are merged by store time: a page is the oldest messages of all
queues from some positions on, and its cursor is the positions after it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

import msgspec

from rocketmq_tw.admin.calls import Calls, Outcomes
from rocketmq_tw.admin.errors import InvalidArgument
from rocketmq_tw.admin.found import LIMITS, found
from rocketmq_tw.admin.results.messages import FoundMessage, Page
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.client.consumer.expressions import parse_expression
from rocketmq_tw.client.consumer.pull_result import (
    PullResult,
    PullStatus,
    read_response,
)
from rocketmq_tw.client.consumer.queue_reader import pull_without_group
from rocketmq_tw.model.group import TOOLS_CONSUMER_GROUP
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.requests.offset import GetMaxOffset, GetMinOffset, SearchOffset

#: Messages of one pull; brokers return 32 at most.
PER_PULL = 32
#: Messages of one page, at most.
MAX_PAGE = 1000
#: Bytes of bodies after which a page ends: a thousand messages could have 4 GB.
MAX_PAGE_SIZE = 16 << 20
#: Characters of a cursor: the positions of some thousand queues.
_MAX_CURSOR = 1 << 18


class Spot(msgspec.Struct, frozen=True, order=True):
    """A queue, and the address of the broker that is asked about it."""

    queue: MessageQueue
    address: str

    @property
    def name(self) -> str:
        """The broker's name and the queue's number, as ``broker-a/3``."""
        return f"{self.queue.broker_name}/{self.queue.queue_id}"


class QueuesReader:
    """Asks brokers about their queues."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def pull(
        self,
        spot: Spot,
        offset: int,
        *,
        count: int = PER_PULL,
        wait: float = 0.0,
        expression: str = "*",
    ) -> PullResult:
        """
        Read messages from a queue offset on; commits nothing.

        :param wait: seconds that the broker may wait for a message.
        """
        queue = spot.queue
        subscription = parse_expression(queue.topic, expression, 0)
        request = pull_without_group(
            TOOLS_CONSUMER_GROUP, queue, offset, subscription, count, wait
        )
        timeout = self._calls.timeout + wait
        response = await self._calls.broker(spot.address, request, timeout)
        return read_response(response, queue, subscription, LIMITS)

    async def min_offset(self, spot: Spot) -> int:
        """Return the offset of a queue's oldest message."""
        queue = spot.queue
        request = GetMinOffset(topic=queue.topic, queue_id=queue.queue_id)
        return (await self._calls.broker(spot.address, request)).offset

    async def max_offset(self, spot: Spot) -> int:
        """Return the offset that a queue's next message gets."""
        queue = spot.queue
        request = GetMaxOffset(topic=queue.topic, queue_id=queue.queue_id)
        return (await self._calls.broker(spot.address, request)).offset

    async def search(self, spot: Spot, when: datetime) -> int:
        """Return the offset of a queue's first message stored at a time or later."""
        queue = spot.queue
        request = SearchOffset(
            topic=queue.topic, queue_id=queue.queue_id, timestamp=to_ms(when)
        )
        return (await self._calls.broker(spot.address, request)).offset

    async def search_all(
        self, spots: Mapping[str, Spot], when: datetime
    ) -> Outcomes[int]:
        """Search all queues; the results have the names of their spots."""
        return await self._calls.each(
            {name: name for name in spots}, lambda name: self.search(spots[name], when)
        )

    async def page(
        self,
        spots: Mapping[str, Spot],
        positions: Mapping[str, int],
        *,
        end: datetime | None,
        limit: int,
    ) -> Page:
        """
        Return the oldest messages of queues.

        :param positions: the offset of each queue to begin with; others are left out.
        :param end: messages stored later are left out.
        :param limit: how many messages there are at most; there are fewer if they
            have :data:`MAX_PAGE_SIZE`.
        """
        merged = _Merge(self, spots, positions, None if end is None else to_ms(end))
        messages = await merged.take(min(max(limit, 1), MAX_PAGE))
        cursor = encode_cursor(merged.positions) if merged.has_more else None
        return Page(tuple(messages), cursor, merged.failed)


class _Merge:
    """
    Takes messages of queues by store time, and pulls more when one runs dry.

    :ivar positions: of each queue that may have more, the offset after what was taken.
    """

    def __init__(
        self,
        reader: QueuesReader,
        spots: Mapping[str, Spot],
        positions: Mapping[str, int],
        end_ms: int | None,
    ) -> None:
        self._reader = reader
        self._spots = spots
        self.positions = {n: at for n, at in positions.items() if n in spots}
        self._end_ms = end_ms
        self._next = dict(self.positions)
        self._buffers: dict[str, list[tuple[int, int, FoundMessage]]] = {}
        self.failed: dict[str, str] = {}

    @property
    def has_more(self) -> bool:
        """Whether a queue has messages that were not taken."""
        return bool(self.positions)

    async def take(self, count: int) -> list[FoundMessage]:
        """Return so many messages, or all that there are; fewer if they are large."""
        taken: list[FoundMessage] = []
        left = MAX_PAGE_SIZE
        await self._fill(list(self.positions))
        while len(taken) < count and left > 0 and self._buffers:
            name = min(self._buffers, key=lambda each: self._buffers[each][0][:2])
            _, offset, message = self._buffers[name].pop(0)
            taken.append(message)
            left -= len(message.body)
            self.positions[name] = offset + 1
            if not self._buffers[name]:
                del self._buffers[name]
                await self._fill([name])
        if not taken:
            # Otherwise there would be pages without end while a broker is away.
            for name in self.failed:
                self.positions.pop(name, None)
        return taken

    async def _fill(self, names: list[str]) -> None:
        """
        Pull more messages of queues; one that has none is left out from now on.

        One that fails keeps its position, for the next page.
        """
        calls = self._reader._calls
        pulled = await calls.each({n: n for n in names}, self._pull)
        self.failed.update(pulled.failed)
        for name, messages in pulled.ok.items():
            if messages:
                self._buffers[name] = messages
            else:
                self.positions.pop(name)

    async def _pull(self, name: str) -> list[tuple[int, int, FoundMessage]]:
        """Return the next messages of a queue, up to the end."""
        spot = self._spots[name]
        while True:
            result = await self._reader.pull(spot, self._next[name])
            moved = result.next_offset > self._next[name]
            self._next[name] = result.next_offset
            if result.messages:
                break
            # The oldest messages are deleted meanwhile, or a part matches nothing.
            if result.status is PullStatus.NO_NEW or not moved:
                return []
        end = self._end_ms
        return [
            (each.store_time_ms, each.queue_offset, found(each))
            for each in result.messages
            if end is None or each.store_time_ms <= end
        ]


def encode_cursor(positions: Mapping[str, int]) -> str:
    """Return positions as a text of letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode(msgspec.json.encode(dict(positions))).decode()


def decode_cursor(cursor: str) -> dict[str, int]:
    """
    Return the positions in a cursor.

    :raises InvalidArgument: it is none.
    """
    try:
        if len(cursor) > _MAX_CURSOR:
            raise ValueError
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
        return msgspec.json.decode(text, type=dict[str, int])
    except ValueError:
        raise InvalidArgument("the cursor is not one that a page had") from None
