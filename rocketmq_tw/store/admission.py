"""Whether a store takes messages, and why not."""

from collections.abc import Callable
from enum import Enum

from rocketmq_tw.store.errors import DiskFull, StoreError, StoreNotWriteable

NOT_OPEN = "it is not open"


class StoreState(Enum):
    """Where a store is between two closes."""

    CLOSED = "CLOSED"
    OPENING = "OPENING"
    OPEN = "OPEN"


class Admission:
    """
    What stands against taking messages: the state, a full disk, a failed flush.

    ``refusal`` says in a sentence why none are taken, and is None while they are.
    """

    # refusal is None <=> state is OPEN and neither of the others says anything.

    def __init__(self, on_change: Callable[[str | None], None]) -> None:
        """
        Begin closed.

        :param on_change: called with each new refusal, so that who asks with each
            message can keep it at hand.
        """
        self.refusal: str | None = NOT_OPEN
        self._on_change = on_change
        self.state = StoreState.CLOSED
        self._disk_full: DiskFull | None = None
        self._flush_failure: str | None = None

    def set_state(self, state: StoreState) -> None:
        """Go to another state; messages are taken in none but OPEN."""
        self.state = state
        self._update()

    def set_disk_full(self, disk_full: DiskFull | None) -> None:
        """Refuse messages while the disk is too full; None takes them again."""
        self._disk_full = disk_full
        self._update()

    def set_flush_failure(self, why: str | None) -> None:
        """Refuse messages while they cannot be flushed; None takes them again."""
        self._flush_failure = why
        self._update()

    def error(self) -> StoreError:
        """Return what to raise for a message that is not taken."""
        if self._disk_full is not None and self.state is StoreState.OPEN:
            full = self._disk_full
            return DiskFull(full.path, full.used, full.limit)
        return StoreNotWriteable(str(self.refusal))

    def _update(self) -> None:
        """Find the reason that counts: what is nearest to its end comes first."""
        if self.state is not StoreState.OPEN:
            self.refusal = NOT_OPEN
        elif self._disk_full is not None:
            self.refusal = str(self._disk_full)
        else:
            self.refusal = self._flush_failure
        self._on_change(self.refusal)
