"""Consume queues in memory: all entries stay in the tail, no file is written."""

import sys

from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.queues.consumequeue import ENTRY_SIZE, ConsumeQueue
from rocketmq_tw.store.queues.table import ConsumeQueues


class MemoryQueues(ConsumeQueues):
    """The table of queues of a store without files."""

    def __init__(self) -> None:
        super().__init__("", ENTRY_SIZE, OpenFiles())

    def touch(self, queue: ConsumeQueue) -> None:
        """Disable writing of this queue's tail: there is no file."""
        queue.tail_limit = sys.maxsize

    def take_changed(self) -> None:
        """All may have changed: what is never written is not noted."""

    def delete_topic(self, topic: str) -> bool:
        """Delete a topic's queues. :returns: whether there were any."""
        raw = topic.encode()
        queue_ids = self._ids.pop(raw, ())
        for queue_id in queue_ids:
            del self.table[raw, queue_id]
        return bool(queue_ids)

    def forget_before(self, log_min: int) -> None:
        """Drop the entries of records that the log has dropped."""
        for queue in self.table.values():
            queue.correct_min(log_min)
            gone = queue.min_offset - queue.written
            del queue.tail[: gone * ENTRY_SIZE]
            queue.written = queue.min_offset
