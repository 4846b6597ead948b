"""Dead letters: listed, read, and sent again."""

from __future__ import annotations

import msgspec

from rocketmq_tw.admin import AdminError, NotFound
from rocketmq_tw.admin.dead_letters import copy_of
from rocketmq_tw.admin.results.messages import FoundMessage, Resent
from rocketmq_tw.client import DEAD_LETTER, EARLIEST
from tests.admin.cases import AdminCase


class DeadLetterTests(AdminCase):
    """A group that fails."""

    def setUp(self) -> None:
        """Let a group fail three messages."""
        super().setUp()
        self.letters: tuple[FoundMessage, ...] = ()
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

    def test_resend_without_any(self) -> None:
        """Nobody has dead letters of an unknown group, or of one without any."""
        self.consume("fine", "orders")
        for group, why in (
            ("nobody", 'there is no group "nobody"'),
            ("fine", 'the group "fine" has no dead letters'),
        ):
            resend = self.admin.dead_letters.resend(group, [self.ids[0]])
            self.assertIn(why, self.failure(resend, NotFound))

    def only_these(self) -> None:
        """Stop the group: there are no more dead letters than now."""
        self.cluster.result_of(self.cluster.clients[0].stop())
        page = self.run_admin(self.admin.dead_letters.browse("billing"))
        self.letters = page.messages

    def resend(self, **options: bool) -> Resent:
        """Send the dead letters that there were when the group was stopped."""
        done = self.admin.dead_letters.resend("billing", self.letters, **options)
        return self.run_admin(done)

    def test_sent_before(self) -> None:
        """What was sent before is skipped, and the copy named, unless it is wanted."""
        self.only_these()
        first = self.run_admin(self.admin.dead_letters.resend("billing", [self.ids[1]]))
        self.cluster.advance(1)
        second = self.resend(again=False)
        self.assertEqual((len(second.ok), second.failed), (2, {}))
        self.assertEqual(second.skipped, first.ok)
        self.cluster.advance(1)
        third = self.resend(again=False)
        self.assertEqual((len(third.ok), len(third.skipped)), (0, 3))
        self.assertEqual((len(self.resend().ok), self.resend().skipped), (3, ()))

    def test_sent_before_without_keys(self) -> None:
        """The copy of a message without keys has the id of the dead letter as one."""
        self.cluster.create_topic("plain", 1)
        self.cluster.consumer("audit", "plain", lambda m: DEAD_LETTER)
        self.send("plain", b"1", b"2")
        self.cluster.advance(5)
        letters = self.run_admin(self.admin.dead_letters.browse("audit")).messages
        self.assertEqual(copy_of(letters[0], "audit").keys, (letters[0].message_id,))
        resend = self.admin.dead_letters.resend
        self.run_admin(resend("audit", letters[:1]))
        self.cluster.advance(1)
        done = self.run_admin(resend("audit", letters, again=False))
        self.assertEqual([each.message_id for each in done.ok], [letters[1].message_id])
        self.assertEqual(len(done.skipped), 1)

    def test_not_known_whether_sent_before(self) -> None:
        """A dead letter is not sent if its copy may be where nobody can look."""
        self.only_these()
        self.unreachable("broker-b")
        done = self.resend(again=False)
        self.assertEqual((done.ok, len(done.failed)), ((), 3))
        for why in done.failed.values():
            self.assertIn("whether it was sent before is not known: broker-b", why)

    def test_too_many_with_its_key(self) -> None:
        """Likewise if more messages have its key than a broker returns."""
        self.only_these()
        self.send("orders", *[b"x"] * 160, keys=["k"])
        self.cluster.advance(1)
        done = self.resend(again=False)
        self.assertEqual((done.ok, len(done.failed)), ((), 3))
        for why in done.failed.values():
            self.assertIn('too many messages have its key "k"', why)

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
        for unknown in ("0" * 32, "x"):
            self.assertIn("there is no message", done.failed[unknown])

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


class WithoutIndexTests(AdminCase):
    """Brokers that do not find messages by their keys."""

    brokers = 1
    on_disk = True
    settings = {"message_index_enable": False}

    def test_not_known_whether_sent_before(self) -> None:
        """A dead letter whose copy nobody can find is not sent a second time."""
        self.cluster.create_topic("orders", 1)
        self.cluster.consumer("billing", "orders", lambda m: DEAD_LETTER)
        self.send("orders", b"1", keys=["k"])
        self.cluster.advance(5)
        letters = self.run_admin(self.admin.dead_letters.browse("billing")).messages
        self.assertEqual(len(letters), 1)
        done = self.run_admin(
            self.admin.dead_letters.resend("billing", letters, again=False)
        )
        self.assertEqual(done.ok, ())
        [why] = done.failed.values()
        self.assertIn("not known: broker-a: messageIndexEnable is false", why)
