"""Dead letters: listed, read, and sent again."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin import AdminError, NotFound
from rocketmq_tw.admin.dead_letters import copy_of
from rocketmq_tw.client import DEAD_LETTER, EARLIEST
from tests.admin.cases import AdminCase


class DeadLetterTests(AdminCase):
    """A group that fails."""

    def setUp(self) -> None:
        """Let a group fail three messages."""
        super().setUp()
        self.cluster.create_topic("orders", 1)
        self.cluster.consumer("billing", "orders", lambda m: DEAD_LETTER)
        self.ids = self.send(
            "orders", b"1", b"2", b"3", tag="A", keys=["k"], properties={"p": "x"}
        )
        self.cluster.advance(5)
        self.assertEqual(len(self.cluster.messages("%DLQ%billing")), 3)

    def test_list(self) -> None:
        """Groups with dead letters are listed with their number."""
        found = self.run_admin(self.admin.dead_letters.list())
        [queue] = found.queues
        self.assertEqual((queue.group, queue.messages), ("billing", 3))
        self.assertIsNotNone(queue.last_update)

    def test_browse(self) -> None:
        """They are read in pages."""
        page = self.run_admin(self.admin.dead_letters.browse("billing", limit=2))
        self.assertEqual(len(page.messages), 2)
        more = self.run_admin(
            self.admin.dead_letters.browse("billing", cursor=page.cursor)
        )
        bodies = {each.body for each in (*page.messages, *more.messages)}
        self.assertEqual(bodies, {b"1", b"2", b"3"})

    def test_browse_without_any(self) -> None:
        """A group without dead letters has none; one that is unknown is an error."""
        self.consume("fine", "orders")
        page = self.run_admin(self.admin.dead_letters.browse("fine"))
        self.assertEqual(page.messages, ())
        self.failure(self.admin.dead_letters.browse("nobody"), NotFound)

    def test_resend(self) -> None:
        """The copies are in the first topic, and say whose dead letters they were."""
        seen = self.consume("audit", "orders", start_from=EARLIEST)
        self.cluster.wait_until(lambda: len(seen) == 3)
        seen.clear()
        page = self.run_admin(self.admin.dead_letters.browse("billing"))
        done = self.run_admin(
            self.admin.dead_letters.resend("billing", page.messages[:2])
        )
        self.assertEqual((len(done.ok), done.failed), (2, {}))
        self.cluster.wait_until(lambda: len(seen) == 2)
        copy = self.run_admin(
            self.admin.messages.get(done.ok[0].new_message_id, "orders")
        )
        self.assertEqual(copy.properties["RESENT_OF_GROUP"], "billing")
        self.assertEqual(copy.properties["RESENT_OF_MESSAGE"], done.ok[0].message_id)
        self.assertEqual((copy.tag, copy.keys), ("A", ("k",)))
        self.assertEqual(copy.properties["p"], "x")
        self.assertNotIn("RETRY_TOPIC", copy.properties)
        self.assertNotIn("DELAY", copy.properties)

    def test_resend_by_id(self) -> None:
        """Ids are enough; one that is unknown does not stop the others."""
        done = self.run_admin(
            self.admin.dead_letters.resend("billing", ["0" * 32, self.ids[0], "x"])
        )
        self.assertEqual([each.message_id for each in done.ok], [self.ids[0]])
        self.assertIn("there is no message", done.failed["0" * 32])
        self.assertIn("no id of a message", done.failed["x"])

    def test_resend_what_is_no_dead_letter(self) -> None:
        """A message of another topic is refused."""
        message = self.run_admin(self.admin.messages.get(self.ids[0], "orders"))
        done = self.run_admin(self.admin.dead_letters.resend("billing", [message]))
        self.assertIn("does not have the dead letters", done.failed[self.ids[0]])

    def test_copy_without_a_topic(self) -> None:
        """A dead letter that does not say where it was cannot be sent."""
        page = self.run_admin(self.admin.dead_letters.browse("billing"))
        letter = page.messages[0]
        letter.properties.pop("RETRY_TOPIC")
        letter.properties.pop("DLQ_ORIGIN_TOPIC", None)
        self.assertRaises(AdminError, copy_of, letter, "billing")

    def test_copy(self) -> None:
        """It has all of the message, and nothing of its first journey."""
        page = self.run_admin(self.admin.dead_letters.browse("billing"))
        letter = page.messages[0]
        letter.properties.update(
            {
                "DLQ_ORIGIN_MESSAGE_ID": "old",
                "TRAN_PREPARED_QUEUE_OFFSET": "5",
                "__SHARDINGKEY": "order-7",
            }
        )
        copy = copy_of(msgspec.structs.replace(letter, flag=9), "billing")
        self.assertEqual((copy.topic, copy.body, copy.flag), ("orders", letter.body, 9))
        self.assertEqual(
            copy.properties,
            {
                "p": "x",
                "__SHARDINGKEY": "order-7",
                "RESENT_OF_GROUP": "billing",
                "RESENT_OF_MESSAGE": letter.message_id,
            },
        )

    def test_flag(self) -> None:
        """The number of its producer's own is read."""
        [sent] = self.send("orders", b"flagged", flag=7)
        found = self.run_admin(self.admin.messages.get(sent, "orders"))
        self.assertEqual(found.flag, 7)
