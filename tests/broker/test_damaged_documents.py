"""
Configuration documents that are damaged, or were written by something else.

As with Apache's broker the backup helps, and an empty document without one counts as
absent. Any other ends the start with one sentence: Apache's broker starts without what
was in it, and overwrites it, so that groups begin at the end of their queues.
"""

from __future__ import annotations

import os

from rocketmq_tw.jsonfile import DamagedDocument
from rocketmq_tw.model.errors import RocketMQError
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

#: Each document, with an entry that must not be lost.
DOCUMENTS = {
    "topics.json": b'{"topicConfigTable":{"TopicTest":{"topicName":"TopicTest"}}}',
    "subscriptionGroup.json": (
        b'{"subscriptionGroupTable":{"GroupTest":{"groupName":"GroupTest"}}}'
    ),
    "consumerOffset.json": b'{"offsetTable":{"TopicTest@GroupTest":{"0":1}}}',
    "delayOffset.json": b'{"offsetTable":{"1":1}}',
}
#: What cannot be used, with words of the sentence that says why.
DAMAGE = {
    b"{": "malformed JSON",
    b"\0" * 100: "malformed JSON",
    b"\xff\xfe": "malformed JSON",
    b"<html>": "malformed JSON",
    b"[]": "instead of",
    b"7": "instead of",
    b'{"dataVersion":{"counter":1e99}}': "dataVersion",
    b'{"dataVersion":[]}': "dataVersion",
}
#: Numbers and names that no request could bring.
HOSTILE = {
    "topics.json": (
        b'{"topicConfigTable":{"../x":{"topicName":"../x"},"A":{"topicName":"B"},'
        b'"C":{"topicName":"C","readQueueNums":70000},'
        b'"TopicTest":{"topicName":"TopicTest"}}}'
    ),
    "subscriptionGroup.json": (
        b'{"subscriptionGroupTable":{"a b":{"groupName":"a b"},'
        b'"GroupTest":{"groupName":"GroupTest","retryQueueNums":70000}}}'
    ),
    "consumerOffset.json": (
        b'{"offsetTable":{"TopicTest@GroupTest":{"0":1},"a/b@c":{"0":1},'
        b'"TopicTest@G":{"-5":1},"TopicTest@H":{"0":-1}}}'
    ),
    "delayOffset.json": (
        b'{"offsetTable":{"1":9223372036854775807,"-3":5,"99":1,"2":-1}}'
    ),
}


class DamagedDocumentTests(BrokerCase):
    """A broker with a message, an offset and a topic is started again."""

    def setUp(self) -> None:
        """Stop with something in each document."""
        super().setUp()
        self.assertEqual(self.ask(sent()).status, 0)
        self.tables.groups.find(GROUP)
        self.tables.offsets.commit(GROUP, TOPIC, 0, 1)
        self.stop()

    def write(self, name: str, text: bytes | None, backup: bytes | None) -> str:
        """Replace a document and its backup; return its path."""
        path = self.path("config", name)
        for each, content in ((path, text), (path + ".bak", backup)):
            if os.path.exists(each):
                os.unlink(each)
            if content is not None:
                with open(each, "wb") as file:
                    file.write(content)
        return path

    def test_one_sentence(self) -> None:
        """A start ends with a sentence that names the document and the reason."""
        for name, text in DOCUMENTS.items():
            for damage, why in {**DAMAGE, text[:-3]: "malformed JSON"}.items():
                path = self.write(name, damage, None)
                error = self.assertRaises(DamagedDocument, self.start)
                self.assertTrue(str(error).startswith(f"{path} cannot be used: "))
                self.assertIn(why, str(error))
                self.assertLess(len(str(error)), 400)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), damage)
            self.write(name, text, None)

    def test_backup(self) -> None:
        """The backup helps, whatever is wrong with the document."""
        for name, text in DOCUMENTS.items():
            for damage in (b"", *DAMAGE, None):
                self.write(name, damage, text)
                self.start_without_loss()

    def start_without_loss(self) -> None:
        """Start and stop; nothing that was acknowledged may be missing."""
        self.start()
        self.assertIsNotNone(self.tables.topics.get(TOPIC))
        self.assertIsNotNone(self.tables.groups.get(GROUP))
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 1)
        self.stop()

    def test_both_damaged(self) -> None:
        """The sentence names both reasons."""
        for name in DOCUMENTS:
            self.write(name, b"{", b"")
            error = self.assertRaises(RocketMQError, self.start)
            self.assertIn("nor can its .bak: it is empty", str(error))
            self.write(name, DOCUMENTS[name], None)

    def test_empty(self) -> None:
        """An empty document without a backup was never written."""
        for name in DOCUMENTS:
            self.write(name, b"", None)
        self.start()
        # It has messages, so it is created again.
        self.assertIsNotNone(self.tables.topics.get(TOPIC))

    def test_hostile(self) -> None:
        """Entries that no request could bring are left out; the others are used."""
        for name, text in HOSTILE.items():
            self.write(name, text, None)
        self.start()
        names = {"../x", "A", "B", "C", "a b"}
        self.assertEqual(names & self.tables.topics.table.keys(), set())
        self.assertEqual(names & self.tables.groups.table.keys(), set())
        self.assertEqual(list(self.tables.offsets.table), [(TOPIC, GROUP)])
