"""Records that requests name by offset are of the topic that they name."""

from __future__ import annotations

import msgspec

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.policies import AclText, EntryText, PolicyText
from rocketmq_tw.model.topic import SCHEDULE_TOPIC
from rocketmq_tw.wire import record
from rocketmq_tw.wire.record_layout import BODY_AT, FIXED_SIZE
from rocketmq_tw.wire.requests.auth import CreateAcl, CreateUser
from rocketmq_tw.wire.requests.message import ViewMessage
from rocketmq_tw.wire.requests.send import SendBack
from tests.broker.access.cases import ADMIN, AccessCase
from tests.broker.cases import GROUP, HOST, STORE_HOST, TOPIC, BrokerCase, sent

EVE = Credentials("eve", "hidden-eve")
WORDS = "The topic does not match"


def back(offset: int, topic: str | None = TOPIC, group: str = GROUP) -> SendBack:
    """Make a request that sends a message back."""
    return SendBack(offset, group, 1, origin_topic=topic)


class TopicTests(BrokerCase):
    """Without access control the names are compared."""

    def test_view(self) -> None:
        """A message is found under its own topic, or without one."""
        offset = self.stored(sent()).commit_log_offset
        for topic in (TOPIC, None, "", " "):
            self.assertEqual(self.ask(ViewMessage(offset, topic)).status, 0)
        self.refused(16, WORDS, ViewMessage(offset, "Other"))

    def test_delayed(self) -> None:
        """A message that is delayed is found under the topic that it goes to."""
        offset = self.stored(sent(properties="DELAY\x013\x02")).commit_log_offset
        self.assertEqual(self.ask(ViewMessage(offset, TOPIC)).status, 0)
        self.refused(16, WORDS, ViewMessage(offset, SCHEDULE_TOPIC))

    def test_send_back(self) -> None:
        """A message is sent back under its topic; a second time that is the retry's."""
        offset = self.stored(sent()).commit_log_offset
        self.refused(16, WORDS, back(offset, "Other"))
        self.stored(back(offset))
        self.clock.pump([0.5] * 4)
        (again,) = self.messages(f"%RETRY%{GROUP}")
        self.stored(back(again.commit_log_offset))
        self.refused(16, WORDS, back(again.commit_log_offset, group="Another"))


class PermittedTests(AccessCase):
    """A user may read one topic, and tries to read another one's messages."""

    def setUp(self) -> None:
        """Let Eve use a topic and a group of her own."""
        super().setUp()
        body = b'{"password":"hidden-eve","username":"eve"}'
        self.ask_as(ADMIN, CreateUser(username="eve", body=body))
        entries = [
            EntryText(["All"], "Allow", name) for name in ("Topic:Own", "Group:Own")
        ]
        acl = msgspec.json.encode(AclText([PolicyText(entries)]))
        self.ask_as(ADMIN, CreateAcl(subject="User:eve", body=acl))

    def test_other_topic(self) -> None:
        """Neither looking at a message nor sending it back shows it."""
        offset = self.store.commit_log_max
        self.assertEqual(self.status_as(ADMIN, sent(body=b"secret")), 0)
        for request in (
            ViewMessage(offset, TOPIC),
            ViewMessage(offset, "Own"),
            ViewMessage(offset),
            back(offset, TOPIC, "Own"),
            back(offset, "Own", "Own"),
            back(offset, None, "Own"),
        ):
            self.assertEqual(self.status_as(EVE, request), 16, request)
        end = offset + len(self.log(offset))
        self.assertEqual(self.store.commit_log_max, end)

    def test_own_topic(self) -> None:
        """Her own messages are shown."""
        offset = self.store.commit_log_max
        self.assertEqual(self.status_as(EVE, sent("Own", body=b"mine")), 0)
        response = self.ask_as(EVE, ViewMessage(offset, "Own"))
        self.assertEqual(record.decode(response.body).body, b"mine")
        self.assertEqual(self.status_as(EVE, back(offset, "Own", "Own")), 0)

    def test_forged_record(self) -> None:
        """A body that looks like a record, with the next one as its properties."""
        length = FIXED_SIZE + len(b"Own")
        size = len(self.log(self.sent_by(EVE, "Own", bytes(length))))
        size += len(self.log(self.sent_by(ADMIN, TOPIC, b"secret")))
        start = self.store.commit_log_max + BODY_AT
        behind = size - BODY_AT - length
        forged = self.forged(start, behind)[:length]
        self.sent_by(EVE, "Own", forged)
        self.sent_by(ADMIN, TOPIC, b"secret")
        self.assertIn(b"secret", self.log(start))
        for request in (ViewMessage(start, "Own"), back(start, "Own", "Own")):
            self.assertEqual(self.remark_as(EVE, request)[: len(WORDS)], WORDS)

    def forged(self, offset: int, size: int) -> bytes:
        """Return a record of Eve's topic, with so many bytes of properties."""
        draft = record.Draft(
            topic=b"Own",
            queue_id=0,
            flag=0,
            sys_flag=0,
            born_time_ms=1,
            born_host=HOST,
            body=b"",
            properties=bytes(size),
        )
        return record.encode(draft, 1, offset, 1, STORE_HOST)

    def sent_by(self, who: Credentials, topic: str, body: bytes) -> int:
        """Send a message; return its commit log offset."""
        offset: int = self.store.commit_log_max
        self.assertEqual(self.status_as(who, sent(topic, body=body)), 0)
        return offset

    def log(self, offset: int) -> bytes:
        """Return the record at an offset."""
        data = self.store.record_at(offset)
        assert isinstance(data, bytes)
        return data
