"""
Engines: what makes inputs, until the time is over.

``hypothesis`` mutates without feedback and makes findings smaller. ``atheris`` is
libFuzzer for Python: it follows the branches that an input reaches. It is not needed
for the tests; ``pip install atheris`` has wheels for CPython 3.11 to 3.13 on Linux.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.mutations import inputs
from tests.fuzz.target import Fault, Finding, Target, check

#: Seconds of the processor that no input may take; none is longer than 16 KiB.
MAX_SECONDS = 0.05
#: How often a piece is repeated: more than any limit of depth.
TIMES = 4096
#: Hypothesis runs in rounds of so many inputs, then looks at the time.
ROUND = 2000


def check_time(target: Target, data: bytes) -> None:
    """
    Read an input without counting, which would hide the time spent inside C.

    :raises Finding: it takes longer than ``MAX_SECONDS``, three times.
    """
    times = []
    while not times or (times[-1] > MAX_SECONDS and len(times) < 3):
        target.prepare()
        begin = time.thread_time()
        with contextlib.suppress(*target.errors):
            target.run(data)
        times.append(time.thread_time() - begin)
    if min(times) > MAX_SECONDS:
        raise Finding(target, data, Fault.TIME, f"{min(times):.3f} s")


def run_hypothesis(
    target: Target,
    seconds: float,
    report: Callable[[Finding], None],
    now: Callable[[], float] = time.monotonic,
) -> int:
    """
    Fuzz a target for some time; return how many inputs were read.

    :param report: called with each finding after it was made smaller.
    :param now: returns the time in seconds.
    """
    end = now() + seconds
    count = 0
    is_shrinking = False
    strategy = inputs(target, TIMES)

    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(strategy)
    def one_round(data: bytes) -> None:
        nonlocal count, is_shrinking
        if not is_shrinking and now() > end:
            return
        count += 1
        try:
            check(target, data)
            check_time(target, data)
        except Finding:
            is_shrinking = True
            raise

    while now() < end:
        is_shrinking = False
        try:
            one_round()
        except Finding as finding:
            report(finding)
    return count
