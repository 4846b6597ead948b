"""
Engines: what makes inputs, until the time is over.

``hypothesis`` mutates without feedback and makes findings smaller. ``atheris`` is
libFuzzer for Python: it follows the branches that an input reaches. It is not needed
for the tests; ``pip install atheris`` has wheels for CPython 3.11 to 3.13 on Linux.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.mutations import inputs
from tests.fuzz.target import Finding, Target, check

#: Hypothesis runs in rounds of so many inputs, then looks at the time.
ROUND = 2000


def run_hypothesis(
    target: Target, seconds: float, report: Callable[[Finding], None]
) -> int:
    """
    Fuzz a target for some time; return how many inputs were read.

    :param report: called with each finding after it was made smaller.
    """
    end = time.monotonic() + seconds
    count = 0
    strategy = inputs(target)

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
        nonlocal count
        if time.monotonic() > end + 30:
            return
        count += 1
        check(target, data)

    while time.monotonic() < end:
        try:
            one_round()
        except Finding as finding:
            report(finding)
    return count
