"""Tests of what is known of sends, without a broker."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.policies import MAX_NAME
from rocketmq_tw.auth.signature import Key, signer
from rocketmq_tw.broker.access.admitted import (
    END_CODE,
    MAX_ADMITTED,
    AdmittedHosts,
    AdmittedSends,
)
from rocketmq_tw.remoting.lane import LEFT, NotAdmitted
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.frame import BINARY, JSON
from rocketmq_tw.wire.requests.transaction import EndTransaction
from tests.broker.access.cases import ADMIN
from tests.broker.cases import TOPIC, sent

KEY = Key(ADMIN.secret_key.encode())
HOST = "10.0.0.9"


def split(is_signed: bool = True, topic: str = TOPIC) -> tuple[bytes, bytes]:
    """Return header and body of a send."""
    sign = signer(ADMIN) if is_signed else None
    frame = encode_request(sent(topic), 1, sign=sign)
    end = 8 + int.from_bytes(frame[5:8], "big")
    return frame[8:end], frame[end:]


class AdmittedSendsTests(SynchronousTestCase):
    """The sends of one host."""

    def setUp(self) -> None:
        """Nothing is known."""
        self.sends = AdmittedSends()

    def test_signed(self) -> None:
        """A known user to a known topic needs the signature of every byte."""
        header, body = split()
        self.assertRaises(NotAdmitted, self.sends.read, header, body)
        self.sends.add(ADMIN.access_key, TOPIC, KEY)
        self.assertEqual(self.sends.read(header, body).opaque, 1)
        for other in (
            (header, body + b"x"),
            (header, b""),
            (header.replace(b'"e":"0"', b'"e":"1"'), body),
            (header.replace(b'"Signature":"', b'"Signature":"x'), body),
            (header.replace(b'"Signature":"', b'"Signature":"\xc3\xa9'), body),
            split(topic="Other"),
            split(is_signed=False),
            (b'{"code":310,"opaque":1}', b""),
            (b'{"code":310,"extFields":null}', b""),
            (b'{"code":310,', b""),
        ):
            self.assertRaises(LEFT, self.sends.read, *other)

    def test_another_secret(self) -> None:
        """The signature of another secret is none."""
        self.sends.add(ADMIN.access_key, TOPIC, Key(b"another"))
        self.assertRaises(NotAdmitted, self.sends.read, *split())

    def test_binary(self) -> None:
        """So does one with a binary header."""
        frame = encode_request(sent(), 1, kind=BINARY, sign=signer(ADMIN))
        end = 8 + int.from_bytes(frame[5:8], "big")
        header, body = frame[8:end], frame[end:]
        self.assertRaises(NotAdmitted, self.sends.read, header, body)
        self.sends.add(ADMIN.access_key, TOPIC, KEY)
        found = self.sends.read(header, body)
        self.assertEqual((found.fields.topic, found.kind), (TOPIC, BINARY))
        for other in (
            (header, body + b"x"),
            (header.replace(b"TopicTest", b"TopicText"), body),
            (header.replace(b"TBW102", b"TBW103"), body),
            (b"\x00\x0b" + header[2:], body),
            (header[:30], body),
        ):
            self.assertRaises(LEFT, self.sends.read, *other)

    def test_end(self) -> None:
        """Who may send to a topic is asked again when he ends a transaction of it."""
        request = EndTransaction("PG", 1, 2, 8, False, "key", None, TOPIC)
        for kind in (JSON, BINARY):
            sends = AdmittedSends()
            frame = encode_request(request, 1, kind=kind, sign=signer(ADMIN))
            header = frame[8:]
            sends.add(ADMIN.access_key, TOPIC, KEY)
            self.assertRaises(NotAdmitted, sends.read, header, b"")
            sends.add(ADMIN.access_key, TOPIC, KEY, END_CODE)
            self.assertEqual(sends.read(header, b"").fields.producer_group, "PG")
            for other in (
                (header, b"x"),
                (header.replace(b"PG", b"PH"), b""),
                (header.replace(b"TopicTest", b"TopicText"), b""),
            ):
                self.assertRaises(NotAdmitted, sends.read, *other)

    def test_no_signature_needed(self) -> None:
        """Where none is needed, whoever claims to send has to be the same."""
        self.sends.add(None, TOPIC, None)
        self.assertEqual(self.sends.read(*split(is_signed=False)).opaque, 1)
        self.assertRaises(NotAdmitted, self.sends.read, *split())


class AdmittedHostsTests(SynchronousTestCase):
    """All hosts."""

    def setUp(self) -> None:
        """Nothing is known."""
        self.hosts = AdmittedHosts(1)

    def add(self, host: str = HOST, version: int = 1, topic: str = TOPIC) -> None:
        """Remember a send."""
        self.hosts.add(
            version=version, host=host, access_key="admin", topic=topic, key=KEY
        )

    def test_by_host(self) -> None:
        """What is known of a host says nothing about another."""
        self.add()
        self.assertIsNotNone(self.hosts.find(1, HOST))
        self.assertIsNone(self.hosts.find(1, "10.0.0.8"))

    def test_version(self) -> None:
        """With other rules nothing is known, of whichever version a send was."""
        self.add()
        self.assertIsNone(self.hosts.find(2, HOST))
        self.add("10.0.0.8", version=2)
        self.assertIsNone(self.hosts.find(2, HOST))
        self.assertIsNotNone(self.hosts.find(2, "10.0.0.8"))

    def test_limit(self) -> None:
        """At the limit all is forgotten; what is known already counts once."""
        for _ in range(2):
            for number in range(MAX_ADMITTED):
                self.add(f"10.0.0.{number % 9}", topic=f"T{number}")
        self.assertEqual(len(self.hosts), MAX_ADMITTED)
        self.add(topic="Other")
        self.assertEqual(len(self.hosts), 1)

    def test_long_names(self) -> None:
        """Long names, which somebody makes up, are not kept."""
        self.add(topic="x" * (MAX_NAME + 1))
        self.assertEqual(len(self.hosts), 0)
