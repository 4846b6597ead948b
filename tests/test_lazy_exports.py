"""Importing a package's names on first use."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.lazy_exports import importer_of
from rocketmq_tw.model.queue import MessageQueue


class ImporterTests(SynchronousTestCase):
    """The ``__getattr__`` of a package."""

    def setUp(self) -> None:
        """Make one with a single name."""
        homes = {"MessageQueue": "rocketmq_tw.model.queue"}
        self.find = importer_of("some.package", homes)

    def test_public_name(self) -> None:
        """It is the object of the module that defines it."""
        self.assertIs(self.find("MessageQueue"), MessageQueue)

    def test_other_name(self) -> None:
        """It is missing, as from any module, and the error names the package."""
        error = self.assertRaises(AttributeError, self.find, "Nothing")
        self.assertEqual(str(error), "module 'some.package' has no attribute 'Nothing'")
