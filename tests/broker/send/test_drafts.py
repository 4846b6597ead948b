"""Drafts of single messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.delay.levels import DelayLevels
from rocketmq_tw.broker.send.drafts import Drafts, Redirect, Sent
from rocketmq_tw.broker.send.kinds import Kind
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.subscription import java_hash
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.store.errors import PropertiesTooLong
from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.record import Draft
from tests.broker.cases import HOST, Peer, sent
from tests.broker.doubles import call_from

TARGET = Target(b"TopicTest", 4, 4)
DEAD = Target(b"%DLQ%G", 1, 1, is_dead_letter=True)


class DraftsTests(SynchronousTestCase):
    """One way for each kind of message."""

    def setUp(self) -> None:
        """Make drafts with a key and a property that are easy to see."""
        self.redirects: dict[Kind, Redirect] = {}
        self.drafts = Drafts(
            levels=DelayLevels((1000, 5000)),
            added="CLUSTER\x01C\x02",
            unique_key=lambda: "KEY",
            redirects=self.redirects,
        )

    def draft(self, text: str, target: Target = TARGET, **fields: object) -> Draft:
        """Draft a message with these properties."""
        call = call_from(Peer(), 100.0)
        return self.drafts.draft(sent(properties=text, **fields), call, target, 3)

    def test_plain(self) -> None:
        """The draft is what was sent, with the broker's properties behind it."""
        self.assertEqual(
            self.draft("TAGS\x01TagA\x02UNIQ_KEY\x01U\x02", reconsume_times=2),
            Draft(
                topic=b"TopicTest",
                queue_id=3,
                flag=0,
                sys_flag=0,
                born_time_ms=1,
                born_host=HOST,
                body=b"Hello",
                properties=b"TAGS\x01TagA\x02UNIQ_KEY\x01U\x02CLUSTER\x01C\x02",
                tags_code=java_hash("TagA"),
                reconsume_times=2,
            ),
        )

    def test_long_properties_are_not_read(self) -> None:
        """Their size is checked first: a long tag is neither hashed nor copied."""
        read: list[object] = []

        class Watched(str):
            """A text that notes what is done with it, but for its length."""

            def __getitem__(self, key: object) -> str:
                read.append(key)
                return super().__getitem__(key)  # type: ignore[index]

        text = Watched("TAGS\x01" + "x" * 32_763)
        self.assertRaises(PropertiesTooLong, self.draft, text)
        self.assertEqual(read, [])
        longest = "TAGS\x01" + "x" * 32_700
        self.assertEqual(self.draft(longest).tags_code, java_hash("x" * 32_700))

    def test_key_added(self) -> None:
        """A message without a unique key gets one."""
        expected = b"A\x01b\x02UNIQ_KEY\x01KEY\x02CLUSTER\x01C\x02"
        self.assertEqual(self.draft("A\x01b").properties, expected)

    def test_delayed(self) -> None:
        """It waits in the queue of its level until its time."""
        draft = self.draft("DELAY\x012\x02")
        self.assertEqual((draft.topic, draft.queue_id), (b"SCHEDULE_TOPIC_XXXX", 1))
        self.assertIn(b"CLUSTER\x01C\x02", draft.properties)

    def test_no_delay(self) -> None:
        """Level 0 and less are kept as they came; the message is plain."""
        draft = self.draft("DELAY\x010\x02")
        self.assertEqual(draft.topic, b"TopicTest")
        self.assertIn(b"DELAY\x010\x02", draft.properties)

    def test_dead_letter(self) -> None:
        """It loses its delay, even one that is no number."""
        draft = self.draft("DELAY\x01x\x02A\x01b\x02", DEAD)
        self.assertEqual(draft.topic, b"%DLQ%G")
        self.assertNotIn(b"DELAY", draft.properties)
        self.assertIn(b"A\x01b\x02", draft.properties)

    def test_refused(self) -> None:
        """What the broker does not offer is refused before anything is made."""
        for text in ("TRAN_MSG\x01true\x02", "TIMER_DELAY_MS\x011\x02"):
            error = self.assertRaises(Refused, self.draft, text)
            self.assertEqual(int(error.code), 16)
        self.assertRaises(BadField, self.draft, "DELAY\x01x\x02")

    def test_redirected(self) -> None:
        """A feature makes the draft of its kind of what would be stored otherwise."""

        def redirect(draft: Draft, sent: Sent) -> Draft:
            self.assertEqual((draft.topic, sent.queue_id), (TARGET.topic, 3))
            draft.topic = b"HALF"
            return draft

        self.redirects[Kind.TRANSACTIONAL] = redirect
        draft = self.draft("TRAN_MSG\x01true\x02", sys_flag=sysflag.PREPARED)
        self.assertEqual((draft.topic, draft.sys_flag), (b"HALF", 0))

    def test_flags_of_brokers(self) -> None:
        """Bits that only a broker sets are named in the refusal."""
        error = self.assertRaises(Refused, self.draft, "", sys_flag=0x44)
        self.assertIn("0x4", error.remark)
        self.assertIn("to be unwrapped", error.remark)
