"""Tests of looking up which mapped pages are in memory."""

import mmap
import os

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.files.residency import (
    PAGE,
    Residency,
    address_of,
    find_residency,
    is_true,
)


class ResidencyTests(SynchronousTestCase):
    """Five pages, of which the second and the third were written."""

    def setUp(self) -> None:
        """Map them."""
        descriptor = os.memfd_create("test")
        self.addCleanup(os.close, descriptor)
        os.ftruncate(descriptor, 5 * PAGE)
        os.pwrite(descriptor, bytes([1]) * 2 * PAGE, PAGE)
        self.mapped = mmap.mmap(descriptor, 5 * PAGE, prot=mmap.PROT_READ)
        self.addCleanup(self.mapped.close)
        found = find_residency(4 * PAGE)
        assert found is not None
        self.residency = found

    def resident(self, at: int, size: int) -> bool:
        """Look up a range of the pages."""
        return self.residency.is_resident(address_of(self.mapped) + at, size)

    def test_all_pages_that_a_range_touches(self) -> None:
        """Whatever part of them."""
        for at, size, expected in (
            (PAGE, 1, True),
            (PAGE, 2 * PAGE, True),
            (PAGE + 100, PAGE, True),
            (3 * PAGE - 1, 1, True),
            (PAGE - 1, 1, False),
            (PAGE - 1, 2, False),
            (PAGE, 2 * PAGE + 1, False),
            (3 * PAGE - 1, 2, False),
            (0, 4 * PAGE, False),
        ):
            self.assertEqual(self.resident(at, size), expected, (at, size))

    def test_nothing_is_read_for_it(self) -> None:
        """A page that was looked up is no more in memory than before."""
        self.assertFalse(self.resident(0, 1))
        self.assertFalse(self.resident(0, 1))
        self.assertEqual(self.mapped[0], 0)
        self.assertTrue(self.resident(0, 1))

    def test_too_large(self) -> None:
        """It is not looked up."""
        self.mapped[:]
        self.assertTrue(self.resident(1, 4 * PAGE))
        self.assertFalse(self.resident(0, 4 * PAGE + 1))

    def test_not_mapped(self) -> None:
        """An error of the system call is no page in memory."""
        self.assertFalse(self.residency.is_resident(0, 1))


class TruthTests(SynchronousTestCase):
    """Systems that do not look are noticed."""

    def answering(self, page: int) -> Residency:
        """Return what calls all pages the same."""
        residency = Residency(lambda *_: 0, PAGE)
        residency._pages[:] = bytes([page]) * len(residency._pages)
        return residency

    def test_all_in_memory(self) -> None:
        """Or none."""
        self.assertFalse(is_true(self.answering(1)))
        self.assertFalse(is_true(self.answering(0)))

    def test_no_such_call(self) -> None:
        """It fails each time."""
        self.assertFalse(is_true(Residency(lambda *_: -1, PAGE)))

    def test_no_memory_for_a_try(self) -> None:
        """Then nothing is known."""

        def refuse(name: str) -> int:
            raise OSError(24, "too many open files")

        self.patch(os, "memfd_create", refuse)
        self.assertIsNone(find_residency(PAGE))
