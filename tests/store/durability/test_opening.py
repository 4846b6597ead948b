"""Tests of saying why a store cannot be opened."""

import errno

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.durability.opening import explained
from rocketmq_tw.store.errors import FileLost, StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.files.slices import Stopped


class ExplainedTests(SynchronousTestCase):
    """From an error to a sentence."""

    def test_errors_of_the_system(self) -> None:
        """They name the file, or the store where it is not known."""
        for error, expected in (
            (OSError(errno.EACCES, "Permission denied", "/d/x"), "/d/x: Permission"),
            (OSError(errno.EIO, "Input/output error"), "/root: Input/output"),
            (OSError("odd"), "/root: odd"),
        ):
            found = self.assertRaises(
                StoreUnreadable, explained, Failure(error), "/root"
            )
            self.assertIn(expected, str(found))

    def test_closed_meanwhile(self) -> None:
        """Nothing is wrong with the store."""
        found = self.assertRaises(
            StoreNotWriteable, explained, Failure(Stopped()), "/root"
        )
        self.assertIn("while it was being opened", str(found))

    def test_what_is_a_sentence_already(self) -> None:
        """It stays as it is."""
        failure = Failure(FileLost("/d/x", "it is empty"))
        self.assertIs(explained(failure, "/root"), failure)
