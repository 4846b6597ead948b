"""
Sends to topics with a window: a message that was stored within it is not stored again.

The response to such a send is that to the first one. Only messages that are stored in
their topic at once are recognised: delayed and timed ones, and those of transactions,
are stored elsewhere first. A message without a unique key of its own is always new.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.dedupe.first import First, first_of
from rocketmq_tw.broker.dedupe.window import Window, Windows
from rocketmq_tw.broker.send.properties import read
from rocketmq_tw.broker.send.responses import Sending, SendResponses, response_of
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.pacing import Steps, result_of
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.index.keys import unique_key
from rocketmq_tw.store.interfaces import Appended, IMessageStore
from rocketmq_tw.wire.record import Draft
from rocketmq_tw.wire.requests.send import SendFields

#: Stores a message that is new.
Store = Callable[[SendFields, Call, Target], Sending]
#: Stores the messages of a batch at a time of day, in seconds; all or none.
Put = Callable[[list[Draft], float], list[Appended]]
#: The digits of a message id that are its commit log offset.
OFFSET_DIGITS = 16
#: Messages of a batch that are looked up in one step, and first messages that are read:
#: those may be large.
AT_ONCE, READ_AT_ONCE = 200, 8


class DedupedSends:
    """
    Recognises messages that were stored before.

    :param responses: makes the response to a message that is not stored again.
    :param check_current: raises if the topic of a target was changed meanwhile, with a
        text that says what was done.
    :param now: returns the time of day, in seconds.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        windows: Windows,
        responses: SendResponses,
        check_current: Callable[[Target, str], None],
        now: Callable[[], float],
    ) -> None:
        self._now = now
        self._check_current = check_current
        self._store = store
        self._windows = windows
        self._responses = responses

    def send(
        self, request: SendFields, call: Call, target: Target, store: Store
    ) -> Sending:
        """
        Store a message, unless it was stored within the window of its topic.

        :param target: has a window.
        :param store: stores a message that is new.
        :raises Refused: the topic was changed or deleted while a record was read.
        """
        key = _key_of(request.properties or "")
        if key is None:
            return store(request, call, target)
        window = self._windows.of(request.topic, target.window_ms)
        known = window.find(key)

        def respond(found: First | None) -> Sending:
            if waits:
                self._check_current(target, "a record was read from the disk")
            if found is not None:
                self._windows.recognised += 1
                return self._responses.single(request, found.queue_id, found.stored)
            if window.find(key) != known:
                # Another has stored it while a record was read from the disk.
                return self.send(request, call, target, store)
            return self._store_first(request, call, target, window, key, store)

        found = self._first(known, window, target, key, call.received_at)
        waits = isinstance(found, Deferred)
        return then(found, respond)

    def _store_first(
        self,
        request: SendFields,
        call: Call,
        target: Target,
        window: Window,
        key: bytes,
        store: Store,
    ) -> Sending:
        """Store a message that is new, and keep its key."""
        sending = store(request, call, target)
        response = response_of(sending)
        if response is not None:
            offset = int(response.msg_id[-OFFSET_DIGITS:], 16)
            now_ms = int(call.received_at * 1000)
            self._windows.add(request.topic, window, key, offset, now_ms)
        return sending

    def batch_steps(
        self, request: SendFields, target: Target, drafts: list[Draft], put: Put
    ) -> Steps[list[Appended]]:
        """
        Store the messages of a batch that are new.

        :param put: stores messages, all or none.
        :returns: where each message of the batch is, the first of its key or itself.
        """
        window = self._windows.of(request.topic, target.window_ms)
        batch = _Batch([unique_key(draft.properties) for draft in drafts])
        left = batch.unread(window)
        while left:
            reads = 0
            for index, (i, key) in enumerate(left):
                if index % AT_ONCE == AT_ONCE - 1 or reads == READ_AT_ONCE:
                    reads = 0
                    yield None
                batch.offsets[i] = offset = window.find(key)
                reads += offset is not None
                first = yield from result_of(
                    self._first(offset, window, target, key, self._now())
                )
                batch.firsts[i] = first
            yield None
            # Meanwhile others may have stored messages with the same keys.
            left = batch.unread(window)
        new = batch.new()
        stored = put([drafts[i] for i in new], self._now()) if new else []
        for i, appended in zip(new, stored, strict=True):
            own = batch.keys[i]
            if own is not None:
                offset, time_ms = appended.commit_log_offset, appended.store_time_ms
                self._windows.add(request.topic, window, own, offset, time_ms)
        self._windows.recognised += len(drafts) - len(new)
        return batch.stored_of(dict(zip(new, stored, strict=True)))

    def _first(
        self,
        offset: int | None,
        window: Window,
        target: Target,
        key: bytes,
        now: float,
    ) -> First | None | Deferred[First | None]:
        """
        Return the message that was stored under a key within the window, if any.

        :param offset: where the window has it; None if it has not.
        """
        if offset is None:
            return None
        oldest_ms = int(now * 1000) - window.length_ms

        def checked(record: bytes | None) -> First | None:
            found = None if record is None else first_of(record)
            if (
                found is None
                or found.key != key
                or found.topic != target.topic
                or found.stored.store_time_ms < oldest_ms
            ):
                return None
            return found

        return then(self._store.record_at(offset), checked)


def _key_of(text: str) -> bytes | None:
    """Return the key of a message that is stored in its topic; None for others."""
    found = read(text)
    special = found.special
    if special is not None and special.priority is None:
        return None
    return unique_key(found.text.encode()) if found.has_unique_key else None


class _Batch:
    """
    The messages of a batch, by their indexes.

    :ivar firsts: what was stored before under the key of each.
    :ivar offsets: the offset under each key when that was read; -1 before.
    """

    def __init__(self, keys: list[bytes | None]) -> None:
        self.keys = keys
        self.firsts: list[First | None] = [None] * len(keys)
        self.offsets: list[int | None] = [-1] * len(keys)

    def unread(self, window: Window) -> list[tuple[int, bytes]]:
        """Return the messages, and their keys, of which another first may be known."""
        return [
            (i, key)
            for i, key in enumerate(self.keys)
            if key is not None and window.find(key) != self.offsets[i]
        ]

    def new(self) -> list[int]:
        """Return the messages to be stored: of those with one key, the first."""
        seen: set[bytes] = set()
        new: list[int] = []
        for i, key in enumerate(self.keys):
            if self.firsts[i] is None and (key is None or key not in seen):
                new.append(i)
            if key is not None:
                seen.add(key)
        return new

    def stored_of(self, stored: dict[int, Appended]) -> list[Appended]:
        """
        Return where each message is.

        :param stored: where those are that were stored now.
        """
        by_key: dict[bytes | None, Appended] = {}
        found: list[Appended] = []
        for i, key in enumerate(self.keys):
            first = self.firsts[i]
            if first is not None:
                one = first.stored
            elif i in stored:
                one = by_key[key] = stored[i]
            else:
                one = by_key[key]
            found.append(one)
        return found
