"""Tests of ACL 1.0 in a broker."""

from __future__ import annotations

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.broker.access.control import LOOK_PERIOD
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.broker.access.cases import CLIENT, FILE, OPERATOR, PlainCase
from tests.broker.cases import TOPIC, Peer, pulled, sent


class PlainTests(PlainCase):
    """The accounts of ``plain_acl.yml``."""

    def test_accounts(self) -> None:
        """An account may do what is listed, and an administrator everything."""
        self.assertEqual(self.status_as(CLIENT, sent()), 0)
        self.assertIn("Topic", self.remark_as(CLIENT, pulled()))
        self.assertIn("admin", self.remark_as(CLIENT, GetRuntimeInfo()))
        self.assertEqual(self.status_as(OPERATOR, GetRuntimeInfo()), 0)
        self.assertIn("accessKey", self.remark_as(None, sent()))
        self.assertIn("eve", self.remark_as(Credentials("eve", "x"), sent()))
        wrong = Credentials("RocketMQ", "x")
        self.assertIn("signature", self.remark_as(wrong, sent()))

    def test_white_list(self) -> None:
        """An address of the white list needs no signature."""
        peer = Peer()
        peer.address = "10.0.1.7:4000"
        self.assertEqual(int(self.ask_as(None, sent(), peer).status), 0)

    def test_reload(self) -> None:
        """A change of the file, or of one beside it, counts soon."""
        self.write(FILE.replace("TopicTest=PUB", "TopicTest=DENY "))
        self.clock.advance(LOOK_PERIOD / 1000)
        self.assertIn(TOPIC, self.remark_as(CLIENT, sent()))
        more = "accounts: [{accessKey: another, secretKey: hidden-3, admin: true}]"
        self.write(more, "acl/more.yml")
        self.clock.advance(LOOK_PERIOD / 1000)
        self.assertEqual(self.status_as(Credentials("another", "hidden-3"), sent()), 0)

    def test_broken_file(self) -> None:
        """A file that cannot be used changes nothing, and is named in one sentence."""
        for text in ("accounts: [", "accounts: 7", "a: &a [*a]", ""):
            self.write(text or FILE.replace("hidden-1", "short"))
            self.clock.advance(LOOK_PERIOD / 1000)
            self.assertEqual(self.status_as(CLIENT, sent()), 0)
        self.assertEqual(self.flushLoggedErrors(), [])
