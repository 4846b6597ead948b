"""Errors of a store: why it could not be opened, read or written."""

from rocketmq_tw.model.errors import RocketMQError


class StoreError(RocketMQError):
    """Any error of a store."""


class StoreLocked(StoreError):
    """Another process has the store open."""

    def __init__(self, path: str) -> None:
        """:param path: the lock file."""
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"another broker has this store open: {self.path} is locked"


class StoreUnreadable(StoreError):
    """A file of the store has a wrong name, length or content, or cannot be opened."""

    def __init__(self, path: str, why: str) -> None:
        """
        :param path: the file.
        :param why: what is wrong with it.
        """
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"the store cannot be read: {self.path}: {self.why}"


class FileLost(StoreUnreadable):
    """A file is empty or missing between others: its content is lost."""


class StoreNotWriteable(StoreError):
    """The store accepts no messages now."""

    retryable = True

    def __init__(self, why: str) -> None:
        """:param why: the reason, a sentence that begins with "it"."""
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"the store accepts no messages: {self.why}"


class DiskFull(StoreError):
    """The disk has no space for the message; nothing of it was written."""

    retryable = True

    def __init__(
        self, path: str, used: int | None = None, limit: int | None = None
    ) -> None:
        """
        :param path: the file that could not grow.
        :param used: how full the disk is, in percent.
        :param limit: how full it may be, in percent.
        """
        super().__init__(path, used, limit)
        self.path = path
        self.used = used
        self.limit = limit

    def __str__(self) -> str:
        if self.limit is not None:
            return (
                f"the disk of {self.path} is {self.used} % full; above {self.limit} %"
                " no messages are accepted"
            )
        full = "" if self.used is None else f", which is {self.used} % full"
        return f"no space is left on the disk for {self.path}{full}"


class _TooLong(StoreError):
    """Some part of a message is longer than allowed; nothing was written."""

    part = "message"

    def __init__(self, size: int, limit: int) -> None:
        """Keep the size found and the largest allowed, in bytes."""
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
    """Too many queries by key are waiting."""

    retryable = True

    def __init__(self, limit: int) -> None:
        """:param limit: how many may wait."""
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"other queries wait already; maxWaitingQueries ({self.limit}) is reached"
        )


class TooManyReads(StoreError):
    """Too many reads are waiting for the disk."""

    retryable = True

    def __init__(self, limit: int) -> None:
        """:param limit: how many may wait."""
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            "other reads wait for the disk already;"
            f" maxWaitingReads ({self.limit}) is reached"
        )


class NotContinuous(StoreError):
    """A piece of a master's log does not begin where its copy ends."""

    def __init__(self, position: int, expected: int) -> None:
        """:param expected: where the copy ends."""
        super().__init__(position, expected)
        self.position = position
        self.expected = expected

    def __str__(self) -> str:
        return (
            f"it continues the commit log at {self.position}, but ours ends at"
            f" {self.expected}"
        )


class DamagedTransfer(StoreError):
    """The bytes that a master sent are not records of its commit log."""

    def __init__(self, position: int, why: str) -> None:
        """:param why: what is wrong at that position."""
        super().__init__(position, why)
        self.position = position
        self.why = why

    def __str__(self) -> str:
        return f"what it sends cannot be copied at offset {self.position}: {self.why}"
