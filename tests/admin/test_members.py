"""The members of a group, from what brokers say."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.members import decode_members, members_in_steps
from rocketmq_tw.admin.results.groups import Member
from rocketmq_tw.model.group import ConsumeType, MessageModel
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.bodies.consumers import Connection, ConsumerConnection


def members_of(brokers: dict[str, ConsumerConnection]) -> tuple[Member, ...]:
    """Return the members without waiting."""
    return all_at_once(members_in_steps(brokers))


def group(*clients: str, conflicts: tuple[str, ...] = ()) -> ConsumerConnection:
    """Return what a broker says of a group with these clients."""
    return ConsumerConnection(
        connection_set=tuple(
            Connection(client, "10.0.0.9:5", "GO", 401) for client in clients
        ),
        subscription_table={
            topic: Subscription(topic=topic, sub_string="A || B")
            for topic in ("T2", "T1")
        },
        consume_type=ConsumeType.CONSUME_POP,
        message_model=MessageModel.BROADCASTING,
        subscription_conflicts=conflicts,
    )


class MemberTests(SynchronousTestCase):
    """Clients are put together by their ids."""

    def test_once(self) -> None:
        """A client at two brokers is one member."""
        found = members_of({"a": group("x", "y"), "b": group("y", conflicts=("y",))})
        self.assertEqual([each.client_id for each in found], ["x", "y"])
        self.assertEqual([each.brokers for each in found], [("a",), ("a", "b")])
        self.assertEqual([each.conflicts for each in found], [False, True])

    def test_words(self) -> None:
        """Modes and versions are words."""
        [member] = members_of({"a": group("x")})
        self.assertEqual((member.mode, member.model), ("pop", "broadcasting"))
        self.assertEqual((member.language, member.version), ("GO", "V4_9_4"))
        self.assertEqual([each.topic for each in member.subscriptions], ["T1", "T2"])

    def test_nothing_said(self) -> None:
        """A broker may leave out all of it."""
        empty = ConsumerConnection(connection_set=(Connection(),))
        [member] = members_of({"a": empty})
        self.assertEqual((member.client_id, member.mode, member.model), ("", "", ""))

    def test_steps(self) -> None:
        """Thousands of members take many steps, and are the same."""
        many = {"a": group(*(f"c{n:04}" for n in range(4000)))}
        self.assertGreater(len(list(members_in_steps(many))), 15)
        self.assertEqual(len(members_of(many)), 4000)

    def test_decoded_in_steps(self) -> None:
        """What a broker says of them is decoded in many steps, and is the same."""
        many = group(*(f"c{n:04}" for n in range(8000)), conflicts=("c7",))
        self.assertGreater(len(list(decode_members(many.encode()))), 7)
        self.assertEqual(all_at_once(decode_members(many.encode())), many)
