"""
What a call costs, counted: the same input costs the same on every machine.

*Work* is the number of executed lines and of calls into C, and so that loops inside C
count too, one for each 256 bytes that

- a line allocates beyond what was allocated before it: what is copied and joined,
- a method of a text, bytes, list or table may have to look at.

*Memory* is the most that was allocated at any time. Both are seen through
:func:`sys.settrace`, :func:`sys.setprofile` and :mod:`tracemalloc`, so that the code
under test runs unchanged. Regular expressions are not seen inside: their steps are
counted by :mod:`tests.wire.regex_steps`.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec

#: So many bytes that are copied or looked at count as one line.
BYTES_A_STEP = 256
#: Smaller allocations of a line are not copies.
_SMALL = 512
_SIZED = (str, bytes, bytearray, list, dict, set, tuple)


class Cost(msgspec.Struct, frozen=True):
    """
    The cost of one call.

    :ivar work: steps; one takes some 30 to 100 ns without the counting.
    :ivar memory: bytes.
    """

    work: int
    memory: int


class Exceeded(BaseException):
    """
    A call was stopped because it exceeds a limit of work.

    No error of the code under test: it must not be caught by that.
    """


class _Meter:
    """Counts while it is installed."""

    def __init__(self, max_work: int) -> None:
        self._max_work = max_work
        self.work = 0
        self.start = self._current = tracemalloc.get_traced_memory()[0]
        self.peak = self.start
        tracemalloc.reset_peak()

    def trace(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        """Count one line, or the call of a function."""
        self.work += 1
        if event == "line":
            self.sample()
            if self.work > self._max_work:
                # Once: what cleans up after it must run.
                self._max_work = sys.maxsize
                raise Exceeded
        return self.trace

    def profile(self, _frame: FrameType, event: str, called: Any) -> None:
        """Count one call into C by the size of its object."""
        if event == "c_call":
            self.work += 1
            owner = getattr(called, "__self__", None)
            if isinstance(owner, _SIZED) and called.__name__ not in _CONSTANT:
                self.work += len(owner) // BYTES_A_STEP

    def sample(self) -> None:
        """Count what the last line allocated."""
        current, peak = tracemalloc.get_traced_memory()
        grown = peak - self._current
        if grown > _SMALL:
            self.work += grown // BYTES_A_STEP
        self.peak = max(self.peak, peak)
        self._current = current
        tracemalloc.reset_peak()


#: Methods that do not look at all of their object.
_CONSTANT = frozenset(
    (
        *("append", "get", "pop", "add", "setdefault", "startswith", "endswith"),
        *("unpack_from", "discard", "popitem", "extend", "items", "values", "keys"),
    )
)


def measure(
    function: Callable[[], object], max_work: int = sys.maxsize
) -> tuple[Cost, BaseException | None]:
    """
    Call a function, and count.

    :param max_work: the function is stopped with :class:`Exceeded` when it has cost
        more; a single call into C is not.
    :returns: its cost, and the exception that it raised.
    """
    is_tracing = tracemalloc.is_tracing()
    if not is_tracing:
        tracemalloc.start()
    before = sys.gettrace(), sys.getprofile()
    meter = _Meter(max_work)
    error: BaseException | None = None
    sys.settrace(meter.trace)
    sys.setprofile(meter.profile)
    try:
        function()
    except (Exception, Exceeded) as raised:
        error = raised
    finally:
        sys.setprofile(before[1])
        sys.settrace(before[0])
    meter.sample()
    if not is_tracing:
        tracemalloc.stop()
    return Cost(meter.work, meter.peak - meter.start), error
