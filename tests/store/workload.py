"""A mixed, deterministic work for a store, and what must be left of it."""

from __future__ import annotations

import random

import msgspec
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.errors import StoreError
from rocketmq_tw.store.interfaces import Appended, FlushOutcome
from rocketmq_tw.store.message_store import MessageStore
from rocketmq_tw.testing import ManualThreads
from rocketmq_tw.threads import run_here
from rocketmq_tw.wire.record import Draft, decode, decode_all
from tests.store.cases import TOPIC, draft
from tests.store.disks import FaultyDisk

#: Two to ten records a file; four entries of a queue.
TINY = StoreConfig(
    commit_log_file_size=1500,
    consume_queue_file_size=80,
    window_size=4096,
    flush_commit_log_least_pages=0,
    # It may fail without harm.
    message_index_enable=False,
)


class Stored(msgspec.Struct):
    """One message that a store took; ``acknowledged`` when it said so."""

    draft: Draft
    appended: Appended
    acknowledged: bool = False


class Workload:
    """
    Sends to three queues: single messages, batches, half messages; time goes by.

    ``stored`` are the messages taken, in order; ``late`` counts those acknowledged
    after the disk had failed; ``refused`` the sends that were.
    """

    def __init__(
        self, store: MessageStore, clock: Clock, thread: ManualThreads, disk: FaultyDisk
    ) -> None:
        """Work on an open store."""
        self.store = store
        self.stored: list[Stored] = []
        self.refused: list[str] = []
        self.late = 0
        self._clock = clock
        self._thread = thread
        self._disk = disk
        self._chance = random.Random(4)
        self._number = 0

    def run(self, steps: int) -> None:
        """Work for so many steps, each a send and perhaps a wait."""
        for _ in range(steps):
            try:
                self._send()
            except StoreError as error:
                self.refused.append(str(error))
            choice = self._chance.random()
            if choice < 0.2:
                self._clock.advance(0.25)
            elif choice < 0.8:
                self._clock.advance(0)
            if choice < 0.6 and self._thread.work:
                self._thread.run_one()

    def finish(self) -> None:
        """Wait until nobody waits any more."""
        for _ in range(6):
            self._clock.advance(0)
            self._thread.run()

    def _send(self) -> None:
        """Send one message, or three at a time."""
        kind = self._chance.random()
        queue_id = self._chance.randrange(3)
        count = 3 if kind < 0.15 else 1
        drafts = [self._draft(queue_id, 4 if kind > 0.92 else 0) for _ in range(count)]
        now = self._clock.seconds()
        if count > 1:
            places = self.store.put_batch(drafts, now)
        else:
            places = [self.store.put(drafts[0], now)]
        taken = [Stored(d, at) for d, at in zip(drafts, places, strict=True)]
        self.stored += taken
        last = places[-1]
        waiting = self.store.when_flushed(last.commit_log_offset + last.size)
        if waiting is None:
            self._acknowledge(FlushOutcome.ON_DISK, taken)
        else:
            waiting.addCallback(self._acknowledge, taken)
            waiting.addErrback(lambda f: f.trap(StoreError) and None)

    def _draft(self, queue_id: int, sys_flag: int) -> Draft:
        """Make a message unlike all others."""
        self._number += 1
        body = b"%d " % self._number * self._chance.randrange(1, 60)
        return draft(body, queue_id=queue_id, sys_flag=sys_flag)

    def _acknowledge(self, outcome: FlushOutcome, taken: list[Stored]) -> None:
        """Note what was promised."""
        if outcome is FlushOutcome.ON_DISK:
            self.late += self._disk.failed
            for each in taken:
                each.acknowledged = True


class WorkloadCase(SynchronousTestCase):
    """Looks at what is left."""

    def open_on(
        self,
        root: str,
        disk: FaultyDisk,
        thread: ManualThreads | None = None,
        **options: object,
    ) -> tuple[MessageStore, Clock]:
        """Open a store on a disk, with a clock of its own; the thread must be idle."""
        clock = Clock()
        clock.advance(1_700_000_000.0)
        config = msgspec.structs.replace(TINY, **options)
        store = MessageStore(
            root, clock, config, run_in_thread=thread or run_here, disk=disk
        )
        results: list[object] = []
        store.open().addBoth(results.append)
        while not results:
            clock.advance(0)
        if results[0] is not None:
            raise results[0].value  # type: ignore[attr-defined]
        return store, clock

    def check(self, root: str, stored: list[Stored]) -> int:
        """
        See that a store holds the first of ``stored`` and nothing else.

        :returns: how many they are; none that was acknowledged is missing.
        """
        store, _ = self.open_on(root, FaultyDisk())
        try:
            end = store.commit_log_max
            left = [s for s in stored if s.appended.commit_log_offset < end]
            lost = stored[len(left) :]
            self.assertEqual([s for s in lost if s.acknowledged], [])
            queues: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
            for each in left:
                record = store.record_at(each.appended.commit_log_offset)
                assert record is not None, each
                message = decode(record)
                self.assertEqual(message.body, each.draft.body)
                self.assertEqual(message.queue_offset, each.appended.queue_offset)
                self.assertEqual(message.properties["TAGS"], "TagA")
                if not each.draft.sys_flag:
                    queues[each.draft.queue_id].append(each.draft.body)
            for queue_id, bodies in queues.items():
                self.assertEqual(self.bodies(store, queue_id), bodies)
        finally:
            self.successResultOf(store.close())
        return len(left)

    def bodies(self, store: MessageStore, queue_id: int) -> list[bytes]:
        """Read a queue from its start to its end."""
        found: list[bytes] = []
        while len(found) < store.max_offset(TOPIC, queue_id):
            fetched = store.get(TOPIC, queue_id, len(found), 32, 1 << 20, None)
            assert fetched.count, (queue_id, len(found), fetched)
            found += [message.body for message in decode_all(fetched.data)]
        return found
