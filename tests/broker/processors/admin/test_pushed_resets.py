"""Tests of resets that members do themselves."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import maybeDeferred

from rocketmq_tw.broker.processors.admin.pushed_resets import PushedResets
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.offsets import (
    QueueOffset,
    ResetOffsetBody,
    ResetOffsetBodyForC,
)
from rocketmq_tw.wire.requests.consumer import ResetConsumerClientOffset, ResetOffsets
from tests.broker.cases import sent
from tests.broker.doubles import RespondingConnection
from tests.broker.processors.admin.test_relays import RelayCase


def resets(connection: RespondingConnection) -> list[ResetConsumerClientOffset]:
    """Return what a member was sent, but for notifications of its group."""
    told = connection.told
    return [each for each in told if isinstance(each, ResetConsumerClientOffset)]


def queue(number: int) -> MessageQueue:
    """Return a queue of the topic."""
    return MessageQueue("T", "broker-a", number)


class PushedResetsTests(RelayCase):
    """With ``useServerSideResetOffset=false`` clients reset their offsets."""

    settings = {"use_server_side_reset_offset": False}

    def setUp(self) -> None:
        """Store three messages, of which a group has read two."""
        super().setUp()
        self.topic("T", 2)
        for _ in range(3):
            self.ask(sent("T"))
        self.tables.groups.find("G")
        for number, offset in enumerate((2, 0)):
            self.tables.offsets.commit("G", "T", number, offset)

    def reset(self, **more: Any) -> Any:
        """Reset offsets; return the response."""
        request = ResetOffsets("T", "G", **{"timestamp": 0, **more})
        asked = maybeDeferred(self.ask, request)
        self.clock.pump([0.0] * 20)
        return self.successResultOf(asked)

    def test_members_are_sent_the_offsets(self) -> None:
        """The broker's own offsets stay, and no pull has them."""
        connection = self.join()
        response = self.reset()
        offsets = {queue(0): 0, queue(1): 0}
        self.assertEqual(ResetOffsetBody.decode(response.body).offset_table, offsets)
        (pushed,) = resets(connection)
        self.assertEqual(ResetOffsetBody.decode(pushed.body).offset_table, offsets)
        pushed.body = b""
        self.assertEqual(pushed, ResetConsumerClientOffset("T", "G", 0, True))
        self.assertEqual(self.tables.offsets.query("G", "T", 0), 2)
        self.assertEqual(len(self.tables.offsets.resets), 0)

    def test_keys_are_bare_objects(self) -> None:
        """The parser of Go's client reads nothing else."""
        connection = self.join(language="GO")
        self.reset(queue_id=0)
        self.assertEqual(
            resets(connection)[0].body,
            b'{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:0}}',
        )

    def test_form_for_cpp(self) -> None:
        """Clients in C++ get a list, others of the same group the table."""
        cpp, java = self.join(language="CPP"), self.join()
        self.reset()
        listed = ResetOffsetBodyForC.decode(resets(cpp)[0].body).offset_table
        expected = [QueueOffset("T", "broker-a", number, 0) for number in (0, 1)]
        self.assertEqual(list(listed), expected)
        self.assertEqual(
            len(ResetOffsetBody.decode(resets(java)[0].body).offset_table), 2
        )

    def test_without_force(self) -> None:
        """Offsets only go back; with it they advance, too."""
        connection = self.join()
        self.reset(timestamp=-1, is_force=False)
        self.reset(timestamp=-1)
        tables = [ResetOffsetBody.decode(each.body) for each in resets(connection)]
        self.assertEqual([each.offset_table[queue(0)] for each in tables], [2, 3])

    def test_member_that_does_not_read(self) -> None:
        """It is sent nothing more."""
        connection, other = self.join(), self.join()
        connection.is_write_blocked = True
        self.reset()
        self.assertEqual((len(resets(connection)), len(resets(other))), (0, 1))

    def test_large_tables_are_sent_in_steps(self) -> None:
        """One step encodes some queues, or sends some 256 KiB."""
        names = [("java", "JAVA"), ("go", "GO"), ("cpp", "CPP")]
        members = [self.join(client_id=name, language=kind) for name, kind in names]
        clients = self.tables.clients
        group = clients.consumer_group("G")
        assert group is not None
        table = {queue(number): number for number in range(1000)}
        steps = PushedResets(clients).push(
            ResetOffsets("T", "G", 0), [*group.members.values()], table, b"x" * 300_000
        )
        counts = [sum(len(resets(each)) for each in members) for _ in steps]
        self.assertEqual(counts, [0] * 10 + [1, 2])
        listed = ResetOffsetBodyForC.decode(resets(members[2])[0].body).offset_table
        self.assertEqual([each.offset for each in listed], list(range(1000)))

    def test_refused(self) -> None:
        """Without members the code is 206, on which tools reset the offsets."""
        self.refused(206, "not online", ResetOffsets("T", "G", 0))
        self.join()
        self.tables.offsets.remove_group("G")
        self.refused(1, "has committed no offset", ResetOffsets("T", "G", 0))
        self.join(27)
        self.refused(1, "version=27", ResetOffsets("T", "G", 0))
