"""Large tables of brokers, in steps."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.tables import decode_list, decode_lists, decode_table
from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.remoting.pacing import all_at_once
from rocketmq_tw.wire.bodies.consumers import (
    Connection,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
)
from rocketmq_tw.wire.bodies.groups import SubscriptionGroupTable
from rocketmq_tw.wire.errors import BadField

MEMBER = "subscriptionGroupTable"


class TableTests(SynchronousTestCase):
    """How they are cut."""

    def decode(self, body: bytes) -> dict[str, SubscriptionGroup]:
        """Decode all of a table."""
        steps = decode_table(body, MEMBER, SubscriptionGroup, SubscriptionGroupTable)
        return all_at_once(steps)

    def test_steps(self) -> None:
        """5,000 groups take more than twenty steps, and none is lost."""
        groups = {f"g{n}": SubscriptionGroup(f"g{n}") for n in range(5000)}
        body = SubscriptionGroupTable(groups).encode()
        steps = decode_table(body, MEMBER, SubscriptionGroup, SubscriptionGroupTable)
        self.assertGreater(len(list(steps)), 20)
        self.assertEqual(self.decode(body), groups)

    def test_not_cut(self) -> None:
        """What is written otherwise is decoded as a whole, if it is large as well."""
        entries = ", ".join(f'"g{n}": {{"groupName": "g{n}"}}' for n in range(5000))
        found = self.decode(f'{{"{MEMBER}": {{{entries}}}}}'.encode())
        self.assertEqual(len(found), 5000)
        self.assertEqual(found["g7"], SubscriptionGroup("g7"))

    def test_wrong(self) -> None:
        """An entry that is none is named as it is elsewhere."""
        body = b'{"%b":{"g":{"groupName":"g","brokerId":"x"}}}' % MEMBER.encode()
        self.assertRaises(BadField, self.decode, body)


class ListTests(SynchronousTestCase):
    """Bodies with lists."""

    def connections(self, body: bytes) -> ProducerConnection:
        """Decode all of a list."""
        steps = decode_list(body, "connectionSet", Connection, ProducerConnection)
        return all_at_once(steps)

    def test_list(self) -> None:
        """Items come in order, whether they could be cut or not."""
        many = ProducerConnection(tuple(Connection(f"c{n}") for n in range(3000)))
        body = many.encode()
        self.assertEqual(self.connections(body), many)
        self.assertEqual(self.connections(body.replace(b"},{", b"}, {")), many)
        self.assertEqual(self.connections(b"{}"), ProducerConnection())

    def test_lists(self) -> None:
        """A table of lists, likewise."""
        table = {f"g{g}": (ProducerInfo(f"c{g}"), ProducerInfo("d")) for g in range(99)}
        body = ProducerTableInfo(table).encode()
        for data in (body, body.replace(b"},{", b"}, {"), body.replace(b":", b" : ")):
            steps = decode_lists(data, "data", ProducerInfo, ProducerTableInfo)
            found = {name: tuple(each) for name, each in all_at_once(steps).items()}
            self.assertEqual(found, table)
