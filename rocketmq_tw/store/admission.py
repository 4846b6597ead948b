"""Whether a store accepts messages, and the reason when it does not."""

from collections.abc import Callable
from enum import Enum

from rocketmq_tw.store.errors import DiskFull, StoreError, StoreNotWriteable

NOT_OPEN = "it is not open"
IS_REPLICA = "it is a slave, which copies its master's messages"


class StoreState(Enum):
    """Where a store is in its life: closed, being opened (recovery), or open."""

    CLOSED = "CLOSED"
    OPENING = "OPENING"
    OPEN = "OPEN"


class Admission:
    """
    Combines everything that can stop a store from accepting messages: its state, a full
    disk, a failed flush, too many messages that are not flushed.

    ``refusal`` is the reason, as a sentence, while messages are refused; None
    otherwise. ``unflushed_refused`` counts the messages that were refused because too
    many are not flushed.
    """

    # refusal is None <=> state is OPEN, the disk is not full, flushing works and
    # not too many messages wait for it.

    def __init__(
        self, on_change: Callable[[str | None], None], is_replica: bool = False
    ) -> None:
        """
        Start in state CLOSED.

        :param on_change: called with each new refusal, so that the path of every
            message can check a cached value.
        :param is_replica: only what a master sends is accepted.
        """
        self._is_replica = is_replica
        self.refusal: str | None = NOT_OPEN
        self._on_change = on_change
        self.state = StoreState.CLOSED
        self._disk_full: DiskFull | None = None
        self._flush_failure: str | None = None
        self._unflushed: str | None = None
        self.unflushed_refused = 0

    def set_state(self, state: StoreState) -> None:
        """Change the state. Messages are accepted only while it is OPEN."""
        self.state = state
        self._update()

    def set_disk_full(self, disk_full: DiskFull | None) -> None:
        """Refuse messages because the disk is too full; None accepts them again."""
        self._disk_full = disk_full
        self._update()

    def set_flush_failure(self, why: str | None) -> None:
        """Refuse messages because flushing fails; None accepts them again."""
        self._flush_failure = why
        self._update()

    def set_unflushed(self, why: str | None) -> None:
        """Refuse messages because too many wait for an fsync; None accepts them."""
        self._unflushed = why
        self._update()

    def replica_error(self) -> StoreError | None:
        """Return the exception to raise for what a master sends; None accepts it."""
        if self.refusal is IS_REPLICA:
            return None
        return self.error()

    def error(self) -> StoreError:
        """Return the exception to raise for a message that is refused."""
        if self._disk_full is not None and self.state is StoreState.OPEN:
            full = self._disk_full
            return DiskFull(full.path, full.used, full.limit)
        if self.refusal is self._unflushed:
            self.unflushed_refused += 1
        return StoreNotWriteable(str(self.refusal))

    def _update(self) -> None:
        """
        Recompute ``refusal``: the state comes first, then the disk, then the flush, and
        what waits for it.
        """
        if self.state is not StoreState.OPEN:
            self.refusal = NOT_OPEN
        elif self._disk_full is not None:
            self.refusal = str(self._disk_full)
        else:
            self.refusal = self._flush_failure or self._unflushed
            if self.refusal is None and self._is_replica:
                self.refusal = IS_REPLICA
        self._on_change(self.refusal)
