"""Each target for a moment, with the same inputs in each run."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz import corpus
from tests.fuzz.mutations import inputs
from tests.fuzz.target import Target, check, growth
from tests.fuzz.targets import TARGETS

#: Where the growth of the cost is measured, in bytes; then twice and four times that.
SIZE = 250
#: By how much more the second doubling may cost; linear work gives 2.
GROWTH = 2.6


class FuzzTests(SynchronousTestCase):
    """Mutated inputs; one test a target."""


class GrowthTests(SynchronousTestCase):
    """Inputs twice as long cost twice as much; one test a target."""


class CorpusTests(SynchronousTestCase):
    """What was once a finding, and what it was made from."""

    def test_findings(self) -> None:
        """No input of the corpus is a finding any more."""
        for name, target in TARGETS.items():
            for _, data in corpus.inputs(name):
                check(target, data)

    def test_folders(self) -> None:
        """Each folder belongs to a target."""
        folders = {path.name for path in corpus.CORPUS.iterdir() if path.is_dir()}
        self.assertEqual(folders - TARGETS.keys(), set())


def _fuzz(target: Target) -> Callable[[SynchronousTestCase], None]:
    """Make the test of a target's inputs."""

    def test(_case: SynchronousTestCase) -> None:
        @settings(
            max_examples=target.examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(inputs(target, most_times=64))
        def each(data: bytes) -> None:
            check(target, data)

        each()

    test.__doc__ = f"The target ``{target.name}``."
    return test


def _grow(target: Target) -> Callable[[SynchronousTestCase], None]:
    """Make the test of a target's amplifiers."""

    def test(case: SynchronousTestCase) -> None:
        for name, amplifier in target.amplifiers.items():
            check(target, amplifier(SIZE))
            case.assertLess(growth(target, amplifier, SIZE), GROWTH, name)

    test.__doc__ = f"The target ``{target.name}``."
    return test


for _target in TARGETS.values():
    _name = _target.name.replace("-", "_")
    setattr(FuzzTests, f"test_{_name}", _fuzz(_target))
    if _target.amplifiers:
        setattr(GrowthTests, f"test_{_name}", _grow(_target))
