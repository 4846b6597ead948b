"""
Targets: what is fuzzed, what it may raise and cost, and from where mutations start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

import msgspec

from tests.fuzz.cost import Cost, Exceeded, measure


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """
    What an input of ``n`` bytes may cost: ``base + each * n``.

    :ivar work: steps whatever the input; one takes some 30 to 100 ns. Each of the 64
        levels that JSON may have takes some 100 of them.
    :ivar work_each: steps for each byte.
    :ivar memory: bytes whatever the input.
    :ivar memory_each: bytes for each byte of input.
    """

    work: int = 8_000
    work_each: int = 40
    memory: int = 256 << 10
    memory_each: int = 160

    def max_work(self, size: int) -> int:
        """Return the most steps for an input of so many bytes."""
        return self.work + self.work_each * size

    def max_memory(self, size: int) -> int:
        """Return the most bytes for an input of so many bytes."""
        return self.memory + self.memory_each * size


#: Makes an input whose size grows with a number, linearly.
Amplifier = Callable[[int], bytes]


def _nothing() -> None:
    """Prepare nothing."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """
    One reader of bytes.

    :ivar name: of its folder in the corpus.
    :ivar run: reads an input.
    :ivar errors: what ``run`` may raise.
    :ivar seeds: returns inputs that are read without an error, to start from.
    :ivar pieces: what mutations insert: separators, names, numbers.
    :ivar amplifiers: make inputs that could cost more than linear work, by name.
    :ivar examples: how many inputs the unit tests make.
    :ivar prepare: called before each input; what it costs does not count.
    """

    name: str
    run: Callable[[bytes], object]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Iterable[bytes]]
    pieces: tuple[bytes, ...] = ()
    amplifiers: Mapping[str, Amplifier] = {}
    budget: Budget = Budget()
    examples: int = 15
    prepare: Callable[[], object] = _nothing


class Fault(Enum):
    """What can be wrong with the reading of an input."""

    RAISED = "it raised an error that is not declared"
    WORK = "it cost too much work"
    MEMORY = "it cost too much memory"
    #: Only long runs look at the time, for what no counting sees: work inside C.
    TIME = "it took too long"


class Finding(Exception):
    """An input that a target does not read as it must."""

    def __init__(self, target: Target, data: bytes, fault: Fault, what: str) -> None:
        super().__init__(target.name, data, fault, what)
        self.target = target
        self.data = data
        self.fault = fault
        self.what = what

    def __str__(self) -> str:
        return (
            f"{self.target.name}: {self.fault.value}: {self.what};"
            f" {len(self.data)} bytes: {self.data[:200]!r}"
        )


def check(target: Target, data: bytes) -> Cost:
    """
    Let a target read an input.

    :returns: what it cost.
    :raises Finding: it raised what it must not, or it cost too much.
    """
    cost = _check_once(target, data)
    if not _excess(target, data, cost):
        return cost
    # The first call of a path imports modules and fills caches; the second does not.
    cost = _check_once(target, data)
    for fault, what in _excess(target, data, cost).items():
        raise Finding(target, data, fault, what)
    return cost


def _check_once(target: Target, data: bytes) -> Cost:
    """Read and count once."""
    target.prepare()
    limit = 4 * target.budget.max_work(len(data)) + 100_000
    cost, error = measure(lambda: target.run(data), limit)
    is_expected = isinstance(error, (Exceeded, *target.errors))
    if error is not None and not is_expected:
        what = f"{type(error).__name__}: {error!s:.300}"
        raise Finding(target, data, Fault.RAISED, what) from error
    return cost


def _excess(target: Target, data: bytes, cost: Cost) -> dict[Fault, str]:
    """Return in what a cost exceeds the budget."""
    budget, size = target.budget, len(data)
    excess = {}
    if cost.work > budget.max_work(size):
        excess[Fault.WORK] = f"{cost.work} steps of {budget.max_work(size)}"
    if cost.memory > budget.max_memory(size):
        excess[Fault.MEMORY] = f"{cost.memory} bytes of {budget.max_memory(size)}"
    return excess


def growth(target: Target, amplifier: Amplifier, size: int) -> float:
    """
    Return by how much more the second doubling of an input costs than the first.

    Linear work gives 2, quadratic work 4. Errors are allowed: refusing is cheap.

    :raises Finding: it raised an error that is not declared.
    """
    costs = []
    for factor in (1, 2, 4):
        data = amplifier(size * factor)
        target.prepare()
        cost, error = measure(lambda data=data: target.run(data))  # type: ignore[misc]
        if error is not None and not isinstance(error, target.errors):
            what = f"{type(error).__name__}: {error!s:.300}"
            raise Finding(target, data, Fault.RAISED, what) from error
        costs.append(cost.work)
    first, second = costs[1] - costs[0], costs[2] - costs[1]
    return second / max(first, 1000)
