"""
Handles pulls: checks the request, reads the store, and holds the pull if needed.

Source: ``PullMessageProcessor`` and ``DefaultPullMessageResultHandler`` of RocketMQ 5.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.errors import TooManyOffsets
from rocketmq_tw.broker.pull.cold import ColdPulls
from rocketmq_tw.broker.pull.filters import Matches
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.pull.pull_filters import PullFilters, forbidden
from rocketmq_tw.broker.pull.suggestion import Suggestion
from rocketmq_tw.broker.stats import BrokerStats
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.filter.tags import count_tags
from rocketmq_tw.model.topic import PERM_READ
from rocketmq_tw.remoting.call import Call, Peer
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import Fetched, FetchStatus, IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.pull import (
    COMMIT_OFFSET,
    SUSPEND,
    LitePullMessage,
    PullMessage,
    PullResponse,
)

#: The response code of each fetch status; for queues without messages it depends on the
#: requested offset.
_CODES = {
    FetchStatus.MESSAGE_WAS_REMOVING: ResponseCode.PULL_RETRY_IMMEDIATELY,
    FetchStatus.NO_MATCHED_MESSAGE: ResponseCode.PULL_RETRY_IMMEDIATELY,
    FetchStatus.OFFSET_FOUND_NULL: ResponseCode.PULL_NOT_FOUND,
    FetchStatus.OFFSET_OVERFLOW_ONE: ResponseCode.PULL_NOT_FOUND,
    FetchStatus.OFFSET_OVERFLOW_BADLY: ResponseCode.PULL_OFFSET_MOVED,
    FetchStatus.OFFSET_TOO_SMALL: ResponseCode.PULL_OFFSET_MOVED,
}
#: Looked up once: the names of an Enum are slow.
_FOUND = FetchStatus.FOUND.name
#: Bytes; the largest response if the client sets no limit.
_MAX_BYTES = 256 << 10


class PullProcessor:
    """
    Handles pulls.

    :param filters: choose the messages of a pull.
    :param suggestion: says from which broker to pull next; None is always the master.
    """

    def __init__(
        self,
        *,
        config: BrokerConfig,
        store: IMessageStore,
        topics: TopicTable,
        groups: GroupTable,
        offsets: ConsumerOffsets,
        filters: PullFilters,
        held: HeldPulls,
        cold: ColdPulls,
        stats: BrokerStats,
        progress: ConsumeProgress,
        suggestion: Suggestion | None = None,
    ) -> None:
        self._config = config
        self._store = store
        self._topics = topics
        self._groups = groups
        self._offsets = offsets
        self._filter = filters
        self._held = held
        self._stats = stats
        self._progress = progress
        self._known = progress.table
        self._cold = cold
        self._suggestion = suggestion
        # What most brokers need not do takes no time there.
        self._respond = self._response if suggestion is None else self._suggest

    def routes(self, router: Router) -> None:
        """Register the handler for both kinds of pull."""
        router.on(PullMessage, self.pull)
        router.on(LitePullMessage, self.pull)

    def pull(self, request: PullMessage, call: Call) -> PullResponse | Deferred[Any]:
        """Return messages, or hold the request until one arrives."""
        self._check(request)
        matches = self._filter.of(request, call.peer)
        flags = request.sys_flag
        if flags & COMMIT_OFFSET and request.commit_offset >= 0:
            self._commit(request)
        cold = self._cold
        if cold.lines and cold.must_wait(call.peer):
            # Not the call, which would keep the header.
            peer = call.peer
            return cold.wait(peer, lambda: self._read(request, peer, matches))
        return self._read(request, call.peer, matches)

    def _commit(self, request: PullMessage) -> None:
        """
        Commit the offset that came along, unless it was reset since.

        Messages are more than an offset, so there is no error.
        """
        if self._offsets.resets.waits(
            request.consumer_group, request.topic, request.queue_id
        ):
            return
        with contextlib.suppress(TooManyOffsets):
            self._offsets.commit(
                request.consumer_group,
                request.topic,
                request.queue_id,
                request.commit_offset,
            )

    def _read(
        self, request: PullMessage, peer: Peer, matches: Matches
    ) -> PullResponse | Deferred[Any]:
        """Read the requested messages; a Deferred if that waits for the disk."""
        response: Any = self._fetch(request, matches)
        if response.__class__ is PullResponse:  # isinstance takes longer
            if not response.status:
                found: PullResponse = response
                return found
            return self._respond_or_hold(response, request, peer, matches)
        self._cold.count(peer, response)
        later: Deferred[Any] = response
        later.addBoth(self._waited, request, self._stats.age)
        return later.addCallback(self._respond_or_hold, request, peer, matches)

    def _waited(self, response: Any, request: PullMessage, since: float) -> Any:
        """Note for how long a pull waited for the disk."""
        seconds = self._stats.age - since
        self._stats.read_took(seconds)
        entry = self._known.get((request.topic, request.consumer_group))
        if entry is not None:
            entry.waited(request.queue_id, seconds)
        return response

    def _respond_or_hold(
        self,
        response: PullResponse,
        request: PullMessage,
        peer: Peer,
        matches: Matches,
    ) -> PullResponse | Deferred[Response | None]:
        """Return what was found, or hold a pull that found nothing."""
        may_wait = request.sys_flag & SUSPEND
        if response.status != ResponseCode.PULL_NOT_FOUND or not may_wait:
            return response
        if self._config.long_polling_enable:
            timeout = request.suspend_timeout_millis / 1000
        else:
            timeout = self._config.short_polling_time_mills / 1000
        _drop_texts(request)
        return self._held.hold(
            request.topic,
            request.queue_id,
            timeout=timeout,
            peer=peer,
            matches=matches,
            tags=count_tags(matches),
            read=_ReadAgain(self, request, matches),
        )

    def read_again(
        self, request: PullMessage, matches: Matches
    ) -> PullResponse | Deferred[PullResponse]:
        """Read for a held pull, after checking again: a topic may be deleted by now."""
        self._check(request)
        return self._fetch(request, matches)

    def _fetch(
        self, request: PullMessage, matches: Matches
    ) -> PullResponse | Deferred[PullResponse]:
        """Read the store and return the response."""
        if self._offsets.resets:
            moved = self._reset(request)
            if moved is not None:
                return moved
        fetched: Any = self._store.get(
            request.topic,
            request.queue_id,
            request.queue_offset,
            request.max_msg_nums,
            request.max_msg_bytes or _MAX_BYTES,
            matches,
        )
        if fetched.__class__ is Fetched:  # isinstance with a Deferred takes longer
            return self._respond(fetched, request)
        later: Deferred[PullResponse] = fetched.addCallback(self._respond, request)
        return later

    def _reset(self, request: PullMessage) -> PullResponse | None:
        """Return from where to continue if the offset was reset; otherwise None."""
        topic, queue_id = request.topic, request.queue_id
        offset = self._offsets.resets.take(request.consumer_group, topic, queue_id)
        if offset is None:
            return None
        return PullResponse(
            0,
            offset,
            self._store.min_offset(topic, queue_id),
            self._store.max_offset(topic, queue_id),
            status=ResponseCode.PULL_OFFSET_MOVED,
            remark="OFFSET_RESET",
        )

    def _suggest(self, fetched: Fetched, request: PullMessage) -> PullResponse:
        """Return the response for the result of a fetch, and where to pull next."""
        assert self._suggestion is not None
        response = self._response(fetched, request)
        return self._suggestion.complete(response, fetched, request)

    def _response(self, fetched: Fetched, request: PullMessage) -> PullResponse:
        """Return the response for the result of a fetch."""
        if fetched.count:
            self._stats.fetched(fetched.count, len(fetched.data))
            entry = self._known.get((request.topic, request.consumer_group))
            if entry is None:
                entry = self._progress.entry(request.topic, request.consumer_group)
            entry.messages += fetched.count
            entry.size += len(fetched.data)
            entry.pulls += 1
            entry.pulled[request.queue_id] = fetched.next_offset
            if entry.watched is not None:
                entry.sent(request.queue_id, fetched.count, len(fetched.data))
            return PullResponse(
                0,
                fetched.next_offset,
                fetched.min_offset,
                fetched.max_offset,
                remark=_FOUND,
                body=fetched.data,
            )
        status = _CODES.get(fetched.status)
        if status is None:
            status = (
                ResponseCode.PULL_OFFSET_MOVED
                if request.queue_offset
                else ResponseCode.PULL_NOT_FOUND
            )
        return PullResponse(
            0,
            fetched.next_offset,
            fetched.min_offset,
            fetched.max_offset,
            status=status,
            remark=fetched.status.name,
        )

    def _check(self, request: PullMessage) -> None:
        """Refuse pulls that are not permitted, in Apache RocketMQ's order of checks."""
        config = self._config
        if not self._topics.permission & PERM_READ:
            raise forbidden(1, f"the broker [{config.broker_name}] is not readable")
        if not config.lite_pull_message_enable and isinstance(request, LitePullMessage):
            name = config.broker_name
            raise forbidden(1, f"the broker [{name}] does not offer lite pull")
        group = self._groups.require(request.consumer_group)
        if not group.consume_enable:
            raise forbidden(2, f"the group [{group.group_name}] may not consume")
        topic = self._topics.require(request.topic)
        if not topic.perm & PERM_READ:
            raise forbidden(3, f"the topic [{request.topic}] is not readable")
        if not 0 <= request.queue_id < topic.read_queue_nums:
            raise Refused(
                ResponseCode.INVALID_PARAMETER,
                f"queueId[{request.queue_id}] is illegal, topic:[{request.topic}]"
                f" has {topic.read_queue_nums} queues to read, numbered from 0",
            )
        if request.max_msg_nums < 0:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"maxMsgNums is {request.max_msg_nums}; expected 0 or more",
            )


class _ReadAgain(msgspec.Struct, frozen=True, eq=False, gc=False):
    """
    Reads for a held pull once more.

    There may be 100,000, so the garbage collector does not look at them.
    """

    processor: PullProcessor
    request: PullMessage
    matches: Matches

    def __call__(self) -> PullResponse | Deferred[PullResponse]:
        """Read the store."""
        return self.processor.read_again(self.request, self.matches)


def _drop_texts(request: PullMessage) -> None:
    """Remove the texts, up to 512 KiB, that a pull needs no more once it waits."""
    request.subscription = request.expression_type = None
