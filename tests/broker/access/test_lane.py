"""Tests of plain sends with access control: they keep their lane."""

from __future__ import annotations

from collections.abc import Sequence

from rocketmq_tw.auth.credentials import Credentials
from rocketmq_tw.auth.signature import signer
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC
from rocketmq_tw.remoting.lane import Taken
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import Ext
from rocketmq_tw.wire.frame import BINARY, JSON, Frame
from rocketmq_tw.wire.requests.auth import UpdateUser
from tests.broker.access.cases import ADMIN, AccessCase
from tests.broker.cases import TOPIC, pulled, sent
from tests.broker.transactions.cases import ended, half
from tests.remoting.ends import connected

PROPERTIES = "UNIQ_KEY\x01AC11000100002A9F00000000000001\x02"


def frame(who: Credentials | None, topic: str = "TopicTest") -> Frame:
    """Return a send as a connection reads it."""
    request = sent(topic, properties=PROPERTIES)
    return split(encode_request(request, 1, sign=None if who is None else signer(who)))


def split(data: bytes) -> Frame:
    """Split one frame."""
    size = int.from_bytes(data[5:8], "big")
    return data[4], data[8 : 8 + size], data[8 + size :]


class LaneTests(AccessCase):
    """What the lane takes, behind the guard."""

    def take(self, frames: Sequence[Frame]) -> int:
        """Give frames to the lane; return how many it took."""
        lane = self.router.lane
        assert lane is not None
        taken: Taken = lane.take(
            frames, 0, len(frames), self.peer, self.clock.seconds()
        )
        return taken.count

    def first(self) -> None:
        """Send once the other way, which asks what the user may do."""
        self.assertEqual(self.status_as(ADMIN, sent()), 0)

    def test_known(self) -> None:
        """Once a user has sent to a topic, further sends take the lane."""
        good = frame(ADMIN)
        self.assertEqual(self.take([good] * 3), 0)
        self.first()
        before = self.store.commit_log_max
        self.assertEqual(self.take([good] * 3), 3)
        self.assertGreater(self.store.commit_log_max, before)

    def test_others(self) -> None:
        """It stops before whatever is not signed, or not known."""
        self.first()
        good = frame(ADMIN)
        wrong = Credentials("admin", "another")
        pull = encode_request(pulled(), 1, sign=signer(ADMIN))
        for other in (
            frame(None),
            frame(wrong),
            frame(Credentials("eve", "x")),
            frame(ADMIN, "Other"),
            (0, good[1], good[2] + b"more"),
            (0, b'{"code":310,', b""),
            (1, good[1], good[2]),
            split(pull),
        ):
            self.assertEqual(self.take([good, other, good]), 1, other)

    def test_transactions(self) -> None:
        """Half messages and ends that name their topic, in either form of headers."""
        sign = signer(ADMIN)
        for kind in (JSON, BINARY):
            before = self.store.max_offset(TRANS_HALF_TOPIC, 0)
            for _ in range(3):
                self.assertEqual(self.status_as(ADMIN, half()), 0)
            found = self.messages(TRANS_HALF_TOPIC)[before:]
            self.assertEqual(self.status_as(ADMIN, ended(found[0], topic=TOPIC)), 0)
            ends = [
                split(encode_request(ended(it, topic=topic), 1, kind=kind, sign=sign))
                for it in found
                for topic in (TOPIC, None)
            ]
            good = split(encode_request(half(), 1, kind=kind, sign=sign))
            self.assertEqual(self.take([good, ends[2], good, ends[4]]), 4)
            self.assertEqual(self.take([ends[5]]), 0)

    def test_repeated_names(self) -> None:
        """The topic that is judged is the one that is stored, however it is written."""
        self.first()
        kind, header, body = frame(ADMIN)
        for name in (b'"b"', b'"\\u0062"'):
            forged = header.replace(b'"b":', name + b':"Other","b":', 1)
            again = header.replace(b'"c":', name + b':"Other","c":', 1)
            self.assertNotEqual(again, header)
            for each in (forged, again):
                self.take([(kind, each, body)])
        self.assertIsNone(self.tables.topics.get("Other"))

    def test_odd_header(self) -> None:
        """A send that is signed, but not written as usual, is handled all the same."""
        self.first()

        def sign(ext: Ext, body: bytes) -> None:
            ext["extra"] = "1"
            signer(ADMIN)(ext, body)

        data = encode_request(sent(properties=PROPERTIES), 1, sign=sign)
        self.assertEqual(self.take([split(data)]), 0)
        protocol, wire = connected(self.clock, self.router)
        protocol.dataReceived(data)
        self.assertEqual([each.code for each in wire.commands()], [0])
        protocol.connectionLost()

    def test_new_password(self) -> None:
        """What the old password has signed is refused at once."""
        self.first()
        self.assertEqual(self.take([frame(ADMIN)]), 1)
        body = b'{"password":"hidden-new"}'
        self.assertEqual(
            self.status_as(ADMIN, UpdateUser(username="admin", body=body)), 0
        )
        new = Credentials("admin", "hidden-new")
        self.assertEqual(self.status_as(new, sent()), 0)
        self.assertEqual(self.take([frame(ADMIN)]), 0)
        self.assertEqual(self.take([frame(new)]), 1)

    def test_changes(self) -> None:
        """After a change nothing is known until it is asked again."""
        self.first()
        disable = UpdateUser(username="inner", body=b'{"userStatus":"disable"}')
        self.assertEqual(self.status_as(ADMIN, disable), 0)
        self.assertEqual(self.take([frame(ADMIN)]), 0)
        self.first()
        self.assertEqual(self.take([frame(ADMIN)]), 1)
