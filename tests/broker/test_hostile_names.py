"""Names that are paths, too long, or look like others, in every request."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.group import UpdateGroup
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.lock import LockQueues
from rocketmq_tw.wire.requests.offset import UpdateConsumerOffset
from rocketmq_tw.wire.requests.send import (
    SendBack,
    SendBatchMessage,
    SendMessage,
    SendMessageV2,
)
from rocketmq_tw.wire.requests.topic import CreateTopic
from tests.broker.access import samples
from tests.broker.cases import GROUP, TOPIC, BrokerCase, sent

NAMES = (
    *("..", ".", "../x", "../../../../tmp/x", "a/b", "a\\b", "/etc/passwd", "~", "C:x"),
    *(
        "\0",
        "a\0b",
        "a\nb",
        "a b",
        "a\tb",
        "\x01",
        "a\x02b",
        "",
        " ",
        "*",
        "a@b",
        "a.b",
    ),
    *("x" * 256, "x" * 70_000, "%RETRY%" + "x" * 300),
    # A Cyrillic o, a space of no width, a text from right to left, a wide letter.
    *("T\u043epic", "Topic\u200bTest", "T\u202eopic", "\uff34opic", "Topi\u0301c"),
    *("%RETRY%../x", "%DLQ%../x", "%LMQ%../x", "%RETRY%/x", "rmq_sys_../x"),
)
#: Groups may have so many characters.
LONG_TOPICS = ("x" * 128, "%RETRY%" + "x" * 121 + "/")
#: Fields that name something, in any request.
FIELDS = (
    *("topic", "default_topic", "origin_topic", "group", "group_name"),
    *("consumer_group", "producer_group", "client_id", "broker_name", "cluster_name"),
)
#: What would store a name, and the field.
WRITERS = (
    *((kind, "topic") for kind in (SendMessage, SendMessageV2, SendBatchMessage)),
    *((CreateTopic, "topic"), (SendBack, "group"), (UpdateConsumerOffset, "topic")),
    (UpdateConsumerOffset, "consumer_group"),
)


def usual(kind: type[Request[Any]]) -> Request[Any]:
    """Make a request about the topic and the group that exist."""
    request = samples.sample(kind)
    for field in ("topic", "group", "consumer_group", "group_name"):
        if hasattr(request, field):
            setattr(request, field, TOPIC if field == "topic" else GROUP)
    return request


class HostileNamesTests(BrokerCase):
    """Every request that a broker handles."""

    def setUp(self) -> None:
        """Let usual requests make what they make."""
        super().setUp()
        self.ask(sent())
        for kind in self.kinds():
            if not kind.__name__.startswith("Delete"):
                self.status(usual(kind))
        # What was sent back is delivered.
        self.clock.pump([1.0] * 30)
        self.restart()
        self.before = self.state()
        self.assertTrue(all(self.before))

    def kinds(self) -> Iterator[type[Request[Any]]]:
        """Return the requests that are handled."""
        for code, kind in samples.declared().items():
            if self.router.find(code) is not None:
                yield kind

    def status(self, request: Request[Any]) -> int | None:
        """Ask; return the code of the response, None without one."""
        response = self.ask(request)
        if isinstance(response, Deferred):
            found: list[Any] = []
            response.addBoth(found.append)
            self.clock.pump([0.1] * 3)
            response = found[0] if found else None
        return None if response is None else int(response.status)

    def state(self) -> tuple[list[str], list[str], list[str], list[str]]:
        """Return the names in all tables, and all files and folders."""
        above = os.path.dirname(os.path.abspath(self.root))
        paths = [
            os.path.relpath(os.path.join(at, name), above)
            for at, folders, names in os.walk(above)
            for name in (*folders, *names)
            if not name.endswith((".bak", ".journal"))
        ]
        tables = self.tables
        return (
            sorted(paths),
            sorted(tables.topics.table),
            sorted(tables.groups.table),
            sorted(map(str, tables.offsets.table)),
        )

    def check(self) -> None:
        """Nothing has changed, also not after everything is written."""
        self.restart()
        self.assertEqual(self.state(), self.before)

    def test_fields(self) -> None:
        """What would store a name is refused, and all others change nothing."""
        stored = []
        for kind in self.kinds():
            request = usual(kind)
            for field in FIELDS:
                if not hasattr(request, field):
                    continue
                for name in (*NAMES, *LONG_TOPICS * ("topic" in field)):
                    changed = msgspec.structs.replace(request, **{field: name})
                    changed.body = request.body
                    status = self.status(changed)
                    if status == 0 and (kind, field) in WRITERS:
                        stored.append((kind.__name__, field, name[:20]))
        self.assertEqual(stored, [])
        self.check()

    def test_bodies(self) -> None:
        """Names in bodies: of groups, topics and queues."""
        for name in NAMES:
            text = msgspec.json.encode(name)
            group = b'{"groupName":%b}' % text
            self.assertNotEqual(self.status(UpdateGroup(body=group)), 0, name[:20])
            topic = b'{"topic":%b,"subString":"*"}' % text
            for body in (
                b'{"clientID":"c","consumerDataSet":[%b]}' % group,
                b'{"clientID":"c","producerDataSet":[%b]}' % group,
                b'{"clientID":"c","consumerDataSet":[{"groupName":"G",'
                b'"subscriptionDataSet":[%b]}]}' % topic,
            ):
                self.status(Heartbeat(body=body))
            queue = b'{"brokerName":"b","queueId":0,"topic":%b}' % text
            for body in (
                b'{"clientId":"c","consumerGroup":%b,"mqSet":[]}' % text,
                b'{"clientId":"c","consumerGroup":"G","mqSet":[%b]}' % queue,
            ):
                self.status(LockQueues(body=body))
        self.assertEqual(self.flushLoggedErrors(), [])
        self.check()
