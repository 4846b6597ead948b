"""Who a client is."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.identity import MessageKeys, make_client_id, make_local_name


class IdentityTests(SynchronousTestCase):
    """Ids that nobody else has."""

    def test_client_ids_differ(self) -> None:
        """Two clients of one process have two ids, of Java's form."""
        one, other = make_client_id("billing"), make_client_id("billing")
        self.assertNotEqual(one, other)
        self.assertRegex(one, r"^\d+(\.\d+){3}@billing#[0-9a-f]{12}$")

    def test_local_names_stay(self) -> None:
        """A program that is restarted finds its offsets, where Java keeps them."""
        self.assertEqual(make_local_name(), make_local_name())
        self.assertRegex(make_local_name(), r"^\d+(\.\d+){3}@DEFAULT$")
        self.assertTrue(make_local_name("billing").endswith("@billing"))

    def test_keys(self) -> None:
        """A key has 32 upper-case digits; its time counts from the month's start."""
        clock = Clock()
        clock.advance(1_700_000_000)
        keys = MessageKeys(clock)
        one, other = keys.next(), keys.next()
        self.assertRegex(one, "^[0-9A-F]{32}$")
        self.assertEqual(int(other[28:], 16), int(one[28:], 16) + 1)
        self.assertEqual(one[20:28], other[20:28])
        clock.advance(1)
        later = keys.next()
        self.assertEqual(int(later[20:28], 16) - int(one[20:28], 16), 1000)
        self.assertLess(int(one[20:28], 16), 31 * 86400 * 1000)

    def test_keys_of_the_next_month(self) -> None:
        """The count starts from 0 with the month."""
        clock = Clock()
        clock.advance(1_700_000_000)
        keys = MessageKeys(clock)
        before = int(keys.next()[20:28], 16)
        clock.advance(20 * 86400)
        self.assertLess(int(keys.next()[20:28], 16), before)
