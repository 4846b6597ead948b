"""Tests of ACL 1.0 in a broker."""

from __future__ import annotations

import os
from tempfile import mkdtemp

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.broker.access.control import LOOK_PERIOD
from rocketmq_tw.broker.access.plain import MAX_SIZE, PlainFiles, decode_acl
from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.wire.requests.admin import GetRuntimeInfo
from tests.broker.access.cases import AccessCase
from tests.broker.cases import TOPIC, Peer, pulled, sent

FILE = """
globalWhiteRemoteAddresses:
  - 10.0.1.*
accounts:
  - accessKey: RocketMQ
    secretKey: hidden-1
    admin: false
    defaultTopicPerm: DENY
    defaultGroupPerm: SUB
    topicPerms:
      - TopicTest=PUB
  - accessKey: operator
    secretKey: hidden-2
    admin: true
"""
CLIENT = Credentials("RocketMQ", "hidden-1")
OPERATOR = Credentials("operator", "hidden-2")


class PlainTests(AccessCase):
    """The accounts of ``plain_acl.yml``."""

    def setUp(self) -> None:
        """Write the file before the broker starts."""
        self.folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {self.folder}")
        self.path = os.path.join(self.folder, "plain_acl.yml")
        self.write(FILE)
        self.settings = {"access": AccessSettings(acl_file=self.path)}
        super().setUp()

    def write(self, text: str, name: str = "plain_acl.yml") -> None:
        """Replace one of the files."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

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


class DecodeTests(SynchronousTestCase):
    """What files may have."""

    def test_references(self) -> None:
        """They are refused before anything is built from them."""
        bomb = b"a: &a [1]\n" + b"b: &b [" + b"*a," * 9 + b"*a]\n"
        error = self.assertRaises(BadPolicy, decode_acl, bomb, "plain_acl.yml")
        self.assertIn("references", str(error))

    def test_objects(self) -> None:
        """A file makes no objects."""
        text = b"accounts: !!python/object/apply:os.system ['true']"
        self.assertRaises(BadPolicy, decode_acl, text, "plain_acl.yml")

    def test_too_large(self) -> None:
        """The size is looked at before anything is read."""
        folder = mkdtemp()
        self.addCleanup(os.system, f"rm -rf {folder}")
        path = os.path.join(folder, "plain_acl.yml")
        self.assertRaises(BadPolicy, PlainFiles(path, 10).read)
        with open(path, "wb") as file:
            file.truncate(MAX_SIZE + 1)
        error = self.assertRaises(BadPolicy, PlainFiles(path, 10).read)
        self.assertIn(str(MAX_SIZE), str(error))

    @settings(max_examples=200, deadline=None)
    @given(
        st.one_of(
            st.binary(max_size=400),
            st.text(max_size=400).map(str.encode),
            st.lists(
                st.sampled_from(
                    [
                        "accounts:",
                        "\n",
                        "  - ",
                        "accessKey: ",
                        "a",
                        "[",
                        "{",
                        "&x ",
                        "*x",
                    ]
                ),
                max_size=60,
            ).map(lambda words: "".join(words).encode()),
        )
    )
    def test_fuzz(self, data: bytes) -> None:
        """Whatever a file has, only the declared error is raised."""
        try:
            decode_acl(data, "plain_acl.yml")
        except BadPolicy:
            pass
