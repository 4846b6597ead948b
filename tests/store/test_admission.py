"""Tests of whether a store takes messages."""

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.store.admission import NOT_OPEN, Admission, StoreState
from rocketmq_tw.store.errors import DiskFull, StoreNotWriteable


class AdmissionTests(SynchronousTestCase):
    """The reasons, one over the other."""

    def setUp(self) -> None:
        """Begin closed, and note each refusal."""
        self.refusals: list[str | None] = []
        self.admission = Admission(self.refusals.append)

    def test_only_while_open(self) -> None:
        """Neither before nor after."""
        self.assertEqual(self.admission.refusal, NOT_OPEN)
        for state in (StoreState.OPENING, StoreState.OPEN, StoreState.CLOSED):
            self.admission.set_state(state)
        self.assertEqual(self.refusals, [NOT_OPEN, None, NOT_OPEN])
        self.assertIsInstance(self.admission.error(), StoreNotWriteable)

    def test_a_full_disk_comes_before_a_failed_flush(self) -> None:
        """Each reason stays until it is taken back."""
        self.admission.set_state(StoreState.OPEN)
        self.admission.set_flush_failure("no flush")
        self.admission.set_disk_full(DiskFull("/data", 95, 90))
        self.assertIn("95 % full", str(self.admission.refusal))
        self.assertEqual(self.admission.error().args, ("/data", 95, 90))
        self.admission.set_disk_full(None)
        self.assertEqual(self.admission.refusal, "no flush")
        self.admission.set_flush_failure(None)
        self.assertIsNone(self.admission.refusal)

    def test_unflushed_messages(self) -> None:
        """They count last, and who is refused because of them is counted."""
        self.admission.set_state(StoreState.OPEN)
        self.admission.set_unflushed("too many")
        self.assertEqual(str(self.admission.error().args[0]), "too many")
        self.admission.set_flush_failure("no flush")
        self.assertEqual(self.admission.error().args, ("no flush",))
        self.assertEqual(self.admission.unflushed_refused, 1)
        self.admission.set_flush_failure(None)
        self.admission.set_unflushed(None)
        self.assertIsNone(self.admission.refusal)

    def test_a_closed_store_is_closed_first(self) -> None:
        """What else is wrong with it matters when it is opened again."""
        self.admission.set_disk_full(DiskFull("/data", 95, 90))
        self.assertEqual(self.admission.refusal, NOT_OPEN)
        self.assertIsInstance(self.admission.error(), StoreNotWriteable)
        self.admission.set_state(StoreState.OPEN)
        self.assertIsInstance(self.admission.error(), DiskFull)
