"""All processors together: whatever stands in a header, nothing breaks inside."""

from __future__ import annotations

import os
import random

from twisted.internet.defer import Deferred

from rocketmq_tw.wire.command import encode_response
from rocketmq_tw.wire.fields import DECLARED, Ext, Request, layout
from tests.broker.cases import BrokerCase, sent

#: What no client of good will puts into a field.
ODD = (
    *("", "-1", "0", "1", "4", "abc", "true", "TopicTest", "GroupTest", "*", "||"),
    *("2147483647", "2147483648", "-2147483649", str((1 << 63) - 1), str(1 << 63)),
    *(str(-1 << 63), str(1 << 70), "../../x", "%RETRY%GroupTest", "%RETRY%", "%DLQ%x"),
    *("x" * 130, "TBW102", "SCHEDULE_TOPIC_XXXX", "\ufffd", "SQL92", "A\x01b\x02"),
    *("DELAY\x01x\x02", "DELAY\x012\x02", "TRAN_MSG\x01true\x02", "[]", "{}", "null"),
)
BODIES = (
    *(b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"a":1', bytes(5000), b"a=b\n"),
    b'{"clientID":"c","consumerDataSet":[{"groupName":"../x"}]}',
    b'{"offsetTable":{}}',
    b"\0\0\0\x10" * 8,
    b'{"mqSet":[{"topic":"../x","queueId":99999999999,"brokerName":"b"}]}',
)


class OddRequestsTests(BrokerCase):
    """Every request that is handled, with odd fields and bodies."""

    def fields(self, chance: random.Random, kind: type[Request]) -> Ext:  # type: ignore[type-arg]
        """Make a header: some fields odd, some as they should be, some missing."""
        ext: Ext = {}
        for name, wire_name in layout(kind):
            if chance.random() < 0.5:
                usual = "TopicTest" if "topic" in name else "GroupTest"
                numeric = "topic" not in name and "group" not in name
                ext[wire_name] = chance.choice(("0", "1")) if numeric else usual
            elif chance.random() < 0.9:
                ext[wire_name] = chance.choice(ODD)
        return ext

    def test_no_internal_error(self) -> None:
        """Each is responded to or held; none speaks of an exception of Python's."""
        self.topic()
        for _ in range(5):
            self.ask(sent())
        before = self.outside()
        chance = random.Random(7)
        for code in sorted(DECLARED):
            if self.router.find(code) is None:
                continue
            for _ in range(30):
                ext = self.fields(chance, DECLARED[code])
                self.one(code, ext, chance.choice(BODIES))
        self.assertEqual(self.flushLoggedErrors(), [])
        self.successResultOf(self.store.close())
        self.assertEqual(self.outside(), before)
        for name in os.listdir(self.path("consumequeue")):
            self.assertRegex(name, r"^[%|a-zA-Z0-9_-]+$")

    def outside(self) -> list[str]:
        """List what is beside the store."""
        inside = os.path.abspath(self.root) + os.sep
        return [name for name in self.files() if not name.startswith(inside)]

    def one(self, code: int, ext: Ext, body: bytes) -> None:
        """Ask once; the response can be written, in both ways."""
        response = self.ask_raw(code, ext, body)
        if response is None or isinstance(response, Deferred):
            return
        for kind in (0, 1):
            encode_response(response, 1, kind)
