"""What groups have done with a message."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin import NotFound
from rocketmq_tw.admin.results.messages import Track
from rocketmq_tw.client import EARLIEST
from tests.admin.cases import AdminCase


class TrackingTests(AdminCase):
    """One message, and several groups."""

    def setUp(self) -> None:
        """Let a group consume a message."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        [first] = self.send("orders", b"1", tag="A")
        seen = self.consume("billing", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: seen)
        self.cluster.advance(10)
        self.message = self.run_admin(self.admin.messages.get(first, "orders"))

    def track(self) -> dict[str, Track]:
        """Return the states by group."""
        found = self.run_admin(self.admin.messages.track(self.message))
        return {each.group: each for each in found}

    def test_consumed(self) -> None:
        """The committed offset is behind it."""
        self.assertEqual(self.track(), {"billing": Track("billing", "consumed")})

    def test_filtered(self) -> None:
        """A group that subscribes to other tags has passed it over."""
        self.consume("other", "orders", expression="B", start_from=EARLIEST)
        self.cluster.advance(15)
        self.assertEqual(self.track()["other"].state, "filtered")

    def test_offline(self) -> None:
        """A group that has left with a message unread is offline."""
        self.cluster.result_of(self.cluster.clients[-1].stop())
        for number in range(2):
            [last] = self.send("orders", b"%d" % number)
        self.message = self.run_admin(self.admin.messages.get(last, "orders"))
        track = self.track()["billing"]
        self.assertEqual(track.state, "offline")

    def test_waiting(self) -> None:
        """A group whose handler does not come to it keeps it waiting."""
        from twisted.internet.defer import Deferred

        self.cluster.consumer("slow", "orders", lambda m: Deferred())
        self.cluster.advance(6)
        [last] = self.send("orders", b"2") and self.send("orders", b"3")
        self.cluster.advance(6)
        self.message = self.run_admin(self.admin.messages.get(last, "orders"))
        self.assertIn(self.track()["slow"].state, ("waiting", "unknown"))

    def test_broadcasting(self) -> None:
        """What clients keep to themselves is not known."""
        self.consume("all", "orders", broadcast=True)
        self.cluster.advance(6)
        self.assertEqual(self.track()["all"].state, "broadcasting")

    def test_broker_is_gone(self) -> None:
        """The broker that has the message is not registered any more."""
        message = msgspec.structs.replace(self.message, broker="broker-z")
        text = self.failure(self.admin.messages.track(message), NotFound)
        self.assertIn("broker-z", text)
