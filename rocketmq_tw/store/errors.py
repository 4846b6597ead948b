"""What a store may refuse, and why."""

from rocketmq_tw.model.errors import RocketMQError


class StoreError(RocketMQError):
    """Any error of a store."""


class StoreLocked(StoreError):
    """Another process has the store open."""

    def __init__(self, path: str) -> None:
        """Name the lock file."""
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"another broker has this store open: {self.path} is locked"


class StoreUnreadable(StoreError):
    """A file of the store is not what it should be."""

    def __init__(self, path: str, why: str) -> None:
        """Name the file and the fault."""
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"the store cannot be read: {self.path}: {self.why}"


class FileLost(StoreUnreadable):
    """A file is empty, or missing between others: its content is gone."""


class StoreNotWriteable(StoreError):
    """The store takes no messages now."""

    retryable = True

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the store takes no messages: {self.why}"


class DiskFull(StoreError):
    """The disk has no room for the next message; nothing of it was written."""

    retryable = True

    def __init__(
        self, path: str, used: int | None = None, limit: int | None = None
    ) -> None:
        """Name what could not grow; how full the disk is and may be, in percent."""
        super().__init__(path, used, limit)
        self.path = path
        self.used = used
        self.limit = limit

    def __str__(self) -> str:
        if self.limit is not None:
            return (
                f"the disk of {self.path} is {self.used} % full; above {self.limit} %"
                " no messages are taken"
            )
        full = "" if self.used is None else f", which is {self.used} % full"
        return f"no space is left on the disk for {self.path}{full}"


class _TooLong(StoreError):
    """Some part of a message is longer than allowed; nothing was written."""

    part = "message"

    def __init__(self, size: int, limit: int) -> None:
        """Give the size found and the largest allowed, in bytes."""
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"the {self.part} has {self.size} bytes; {self.limit} are allowed"


class RecordTooLong(_TooLong):
    """A message's body, or the record made of it, is too long."""


class PropertiesTooLong(_TooLong):
    """A message's properties are too long."""

    part = "properties text"


class TopicTooLong(_TooLong):
    """A message's topic is too long."""

    part = "topic"


class TooManyQueries(StoreError):
    """Too many queries by key wait for their turn."""

    retryable = True

    def __init__(self, limit: int) -> None:
        """Give how many may wait."""
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.limit} queries are waiting already"


class TooManyReads(StoreError):
    """Too many reads wait for the disk."""

    retryable = True

    def __init__(self, limit: int) -> None:
        """Give how many may wait."""
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.limit} reads are waiting for the disk already"
