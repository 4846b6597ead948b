"""
Reads that do not block the reactor; cold ones run in threads.

A read is tried with RWF_NOWAIT, which returns only what the page cache holds. Work that
reads is written as *steps*: a generator that yields the pieces it must wait for and is
sent their bytes. If nothing is cold it never yields and returns its result at once;
otherwise the caller gets a Deferred.

Cold pieces are read in their own threads, so that consumers that catch up and senders
that wait for an fsync do not delay each other. The threads open files themselves,
because the reactor might close one of its descriptors meanwhile. A deleted file reads
as empty.

Where RWF_NOWAIT is not supported (not Linux, or a file system such as tmpfs or
overlayfs), reads run at once in the reactor's thread.
"""

import errno
import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import TypeVar, cast

import msgspec
from twisted.internet.defer import (
    Deferred,
    FirstError,
    gatherResults,
    succeed,
)
from twisted.python.failure import Failure

from rocketmq_tw.store.errors import TooManyReads
from rocketmq_tw.store.files.segments import MappedFileQueue
from rocketmq_tw.threads import RunInThread, run_here

_T = TypeVar("_T")
_U = TypeVar("_U")

#: Bytes; larger pieces get a buffer of their own.
_SCRATCH = 512 << 10
#: How many bytes the kernel prefetches behind a piece that is read sequentially, so
#: that the next pulls of a consumer that catches up find them in memory.
READ_AHEAD = 1 << 20
#: Pieces read at the same time; more threads would only compete for the disk.
MAX_RUNNING = 2

#: The flag of reads that do not wait for the disk; None where the system has none.
NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_NOTHING = memoryview(b"")
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


class Piece(msgspec.Struct, frozen=True, gc=False):
    """
    A range of bytes of one file.

    ``at`` is an offset in the file; ``read_ahead`` is how many bytes behind the piece
    are likely to be read next.
    """

    path: str
    at: int
    size: int
    read_ahead: int = 0


#: Yields the pieces it must wait for, is sent their bytes, returns its result.
Steps = Generator[list[Piece], list[bytes], _T]


class Reads:
    """
    Reads the files of one store.

    ``cold`` counts the reads that ran in a thread, ``refused`` those that could not
    wait for one.
    """

    def __init__(
        self, run_in_thread: RunInThread | None = None, max_waiting: int = 4096
    ) -> None:
        """
        :param run_in_thread: runs a blocking read; None runs it in the calling thread.
        :param max_waiting: how many reads may wait for a thread.
        """
        self.cold = 0
        self.refused = 0
        self._run_in_thread = run_in_thread or run_here
        self._max_waiting = max_waiting
        self._scratch = memoryview(bytearray(_SCRATCH))
        self._has_nowait = NO_WAIT is not None
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def waiting(self) -> int:
        """Return how many reads wait for a thread."""
        return len(self._waiting)

    def now(self, files: MappedFileQueue, position: int, size: int) -> bytes | None:
        """
        Read from the page cache, up to the end of one file; None if not all is cached.

        Returns no bytes where there is no file.
        """
        view = self.view_now(files, position, size)
        return None if view is None else bytes(view)

    def view_now(
        self, files: MappedFileQueue, position: int, size: int
    ) -> memoryview | None:
        """Do as :meth:`now`, without a copy: valid until the next read."""
        base = files.base_of(position)
        if size <= 0 or not files.has(base):
            return _NOTHING
        size = min(size, base + files.file_size - position)
        large = size > _SCRATCH
        view = memoryview(bytearray(size)) if large else self._scratch[:size]
        got = self.read_into(files, position, view)
        if got == size:
            return view
        return None if self._has_nowait else view[:got]

    def read_into(
        self, files: MappedFileQueue, position: int, view: memoryview
    ) -> int | None:
        """
        Read from the page cache into a buffer, up to the end of one file.

        On the path of every pull: some 0.6 us more than a plain read.

        :returns: how many bytes were read, fewer if not all are cached; None for none
            of them. 0 where there is no file.
        """
        base = files.base_of(position)
        if not files.has(base):
            return 0
        capacity = base + files.file_size - position
        if capacity < len(view):
            view = view[:capacity]
        descriptor = files.descriptor(base)
        if self._has_nowait:
            try:
                return os.preadv(descriptor, (view,), position - base, NO_WAIT or 0)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                self._has_nowait = False
        data = os.pread(descriptor, len(view), position - base)
        view[: len(data)] = data
        return len(data)

    def run(self, steps: Steps[_T]) -> "_T | Deferred[_T]":
        """
        Run steps.

        :returns: the result, or a Deferred of it if something was cold. That fails
            with TooManyReads when too many reads wait already.
        """
        try:
            pieces = next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
        return Deferred.fromCoroutine(self._run_cold(steps, pieces))

    async def _run_cold(self, steps: Steps[_T], pieces: list[Piece]) -> _T:
        """
        Alternate between reading cold pieces and running the steps until they return.
        """
        while True:
            data = await self._read_in_thread(pieces)
            try:
                pieces = steps.send(data)
            except StopIteration as end:
                result: _T = end.value
                return result

    def _read_in_thread(self, pieces: list[Piece]) -> "Deferred[list[bytes]]":
        """Read pieces in a thread, as soon as one is free."""
        if len(self._waiting) >= self._max_waiting:
            self.refused += 1
            raise TooManyReads(self._max_waiting)
        self.cold += 1
        found: list[bytes] = []
        done: Deferred[list[bytes]] = Deferred()

        def start() -> None:
            self._running += 1
            read = self._run_in_thread(lambda: _read_all(pieces, found))
            read.addBoth(end)

        def end(result: object) -> None:
            self._running -= 1
            if self._waiting:
                self._waiting.popleft()()
            if isinstance(result, Failure):
                done.errback(result)
            else:
                done.callback(found)

        if self._running < MAX_RUNNING:
            start()
        else:
            self._waiting.append(start)
        return done


def piece(
    files: MappedFileQueue, position: int, size: int, read_ahead: int = 0
) -> Piece:
    """Return the piece at a position of the stream, cut at the end of its file."""
    base = files.base_of(position)
    size = min(size, base + files.file_size - position)
    return Piece(files.path(base), position - base, size, read_ahead)


def then(
    value: "_T | Deferred[_T]", use: Callable[[_T], "_U | Deferred[_U]"]
) -> "_U | Deferred[_U]":
    """Apply ``use`` to a value now, or when its Deferred fires."""
    if isinstance(value, Deferred):
        return value.addCallback(use)
    return use(value)


def all_of(values: "Sequence[_T | Deferred[_T]]") -> "list[_T] | Deferred[list[_T]]":
    """
    Return all results: a list if none is a Deferred, otherwise a Deferred of the list.
    """
    if not any(isinstance(value, Deferred) for value in values):
        return cast("list[_T]", list(values))
    waiting = [
        value if isinstance(value, Deferred) else succeed(value) for value in values
    ]
    return gatherResults(waiting, consumeErrors=True).addErrback(_first_error)


def _first_error(failure: Failure) -> Failure:
    """Unwrap the failure that came first."""
    assert isinstance(failure.value, FirstError)
    return failure.value.subFailure


def _read_all(pieces: list[Piece], found: list[bytes]) -> None:
    """Read pieces; runs in a thread."""
    opened: dict[str, int] = {}
    try:
        for each in pieces:
            found.append(_read(each, opened))
    finally:
        for descriptor in opened.values():
            os.close(descriptor)


def _read(wanted: Piece, opened: dict[str, int]) -> bytes:
    """Read one piece, blocking; empty if its file is gone."""
    descriptor = opened.get(wanted.path)
    if descriptor is None:
        try:
            descriptor = os.open(wanted.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        opened[wanted.path] = descriptor
    data = os.pread(descriptor, wanted.size, wanted.at)
    if wanted.read_ahead:
        at, size = wanted.at + wanted.size, wanted.read_ahead
        os.posix_fadvise(descriptor, at, size, os.POSIX_FADV_WILLNEED)
    return data
