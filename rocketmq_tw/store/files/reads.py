"""
Reading without waiting for the disk, and reading in a thread what does wait.

A read is tried with RWF_NOWAIT, which gives only what the page cache holds. Work that
reads is written as *steps*: a generator that yields the pieces that it must wait for
and is sent their bytes. Where nothing is cold it never yields, and its result is there
at once; else a Deferred takes its place.

Cold pieces are read in threads of their own, so that those who catch up and those who
wait for an fsync do not stand in each other's way. Files are opened there: a descriptor
of the reactor's could be closed meanwhile. One that was deleted reads as empty.

Where the system cannot say that (not Linux, or a file system without it such as tmpfs
or overlayfs), reads are made at once, in the reactor's thread.
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

#: Larger pieces get a buffer of their own.
_SCRATCH = 512 << 10
#: What the kernel is asked to fetch behind a piece that is read in order: the next
#: pulls of a consumer that catches up then find it in memory.
READ_AHEAD = 1 << 20
#: Pieces read at a time; more threads would only disturb each other.
MAX_RUNNING = 2
#: Reads that may wait for a thread; each is a pull, some hundred bytes.
MAX_WAITING = 4096

_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


class Piece(msgspec.Struct, frozen=True, gc=False):
    """
    Some bytes of one file.

    ``at`` counts from the start of the file; ``read_ahead`` says how much behind the
    piece is likely to be read next.
    """

    path: str
    at: int
    size: int
    read_ahead: int = 0


#: Yields what it must wait for, is sent the bytes of each piece, returns its result.
Steps = Generator[list[Piece], list[bytes], _T]


class Reads:
    """
    Reads the files of one store.

    ``cold`` counts the reads that went to a thread.
    """

    def __init__(
        self, run_in_thread: RunInThread | None = None, max_waiting: int = MAX_WAITING
    ) -> None:
        """:param run_in_thread: runs a blocking read; None runs it here."""
        self.cold = 0
        self._run_in_thread = run_in_thread or run_here
        self._max_waiting = max_waiting
        self._scratch = memoryview(bytearray(_SCRATCH))
        self._has_nowait = _NO_WAIT is not None
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def now(self, files: MappedFileQueue, position: int, size: int) -> bytes | None:
        """
        Read up to the end of one file what is in memory; None if not all of it is.

        Empty where there is no file. On the path of every pull: some 0.6 us more than a
        plain read.
        """
        base = files.base_of(position)
        if size <= 0 or not files.has(base):
            return b""
        size = min(size, base + files.file_size - position)
        descriptor = files.descriptor(base)
        if not self._has_nowait:
            return os.pread(descriptor, size, position - base)
        large = size > _SCRATCH
        view = memoryview(bytearray(size)) if large else self._scratch[:size]
        try:
            got = os.preadv(descriptor, (view,), position - base, _NO_WAIT or 0)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            self._has_nowait = False
            return os.pread(descriptor, size, position - base)
        return bytes(view) if got == size else None

    def run(self, steps: Steps[_T]) -> "_T | Deferred[_T]":
        """
        Run work that reads.

        :returns: its result, or a Deferred of it once something was cold. That fails
            with TooManyReads when too many reads wait already.
        """
        try:
            pieces = next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
        return Deferred.fromCoroutine(self._go_on(steps, pieces))

    async def _go_on(self, steps: Steps[_T], pieces: list[Piece]) -> _T:
        """Read what is cold, and go on, until it is done."""
        while True:
            data = await self._later(pieces)
            try:
                pieces = steps.send(data)
            except StopIteration as end:
                result: _T = end.value
                return result

    def _later(self, pieces: list[Piece]) -> "Deferred[list[bytes]]":
        """Read pieces in a thread, when it is their turn."""
        if len(self._waiting) >= self._max_waiting:
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
    """Name the bytes at a position, up to the end of one file."""
    base = files.base_of(position)
    size = min(size, base + files.file_size - position)
    return Piece(files.path(base), position - base, size, read_ahead)


def then(
    value: "_T | Deferred[_T]", use: Callable[[_T], "_U | Deferred[_U]"]
) -> "_U | Deferred[_U]":
    """Use a result now, or when it is there; ``use`` may have to wait again."""
    if isinstance(value, Deferred):
        return value.addCallback(use)
    return use(value)


def all_of(values: "Sequence[_T | Deferred[_T]]") -> "list[_T] | Deferred[list[_T]]":
    """Return all results, now or when the last of them is there."""
    if not any(isinstance(value, Deferred) for value in values):
        return cast("list[_T]", list(values))
    waiting = [
        value if isinstance(value, Deferred) else succeed(value) for value in values
    ]
    return gatherResults(waiting, consumeErrors=True).addErrback(_first_error)


def _first_error(failure: Failure) -> Failure:
    """Return the failure of the one that failed first."""
    assert isinstance(failure.value, FirstError)
    return failure.value.subFailure


def _read_all(pieces: list[Piece], found: list[bytes]) -> None:
    """Read pieces, in a thread."""
    opened: dict[str, int] = {}
    try:
        for each in pieces:
            found.append(_read(each, opened))
    finally:
        for descriptor in opened.values():
            os.close(descriptor)


def _read(wanted: Piece, opened: dict[str, int]) -> bytes:
    """Read one piece, however long it takes; empty when its file is gone."""
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
