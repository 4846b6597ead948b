"""Pulling: what is handed out, what is refused, and when a pull is held."""

from __future__ import annotations

import gc
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from rocketmq_tw.model.group import SubscriptionGroup
from rocketmq_tw.model.topic import PERM_WRITE
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.wire import record
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.requests.pull import (
    COMMIT_OFFSET,
    SUBSCRIPTION,
    SUSPEND,
    LitePullMessage,
)
from tests.broker.cases import GROUP, TOPIC, BrokerCase, pulled, sent
from tests.broker.doubles import call_from

HELD = SUBSCRIPTION | SUSPEND


class PullCase(BrokerCase):
    """Has a topic of four queues."""

    def setUp(self) -> None:
        """Create it."""
        super().setUp()
        self.topic()

    def fill(self, *tags: str) -> None:
        """Send a message with each of the tags to queue 0."""
        for number, tag in enumerate(tags):
            text = f"TAGS\x01{tag}\x02" if tag else ""
            self.ask(sent(body=b"%d" % number, properties=text))

    def bodies(self, response: Any) -> list[bytes]:
        """Give the bodies of what was found."""
        return [message.body for message in record.decode_all(response.body)]


class PullTests(PullCase):
    """What a pull finds."""

    def test_found(self) -> None:
        """The records as they are stored, and where to go on."""
        self.fill("A", "B", "A")
        response = self.ask(pulled(queue_offset=1))
        self.assertEqual((response.status, response.remark), (0, "FOUND"))
        self.assertEqual(self.bodies(response), [b"1", b"2"])
        offsets = (response.next_begin_offset, response.min_offset, response.max_offset)
        self.assertEqual(offsets, (3, 0, 3))
        self.assertEqual(response.suggest_which_broker_id, 0)

    def test_long_subscription(self) -> None:
        """A text beyond the limit is refused by its length, which names the setting."""
        long = pulled(subscription="A||" * 30_000)
        self.refused(23, "maxSubscriptionLength", long)

    def test_tags(self) -> None:
        """The request's own subscription selects; what it skips is passed over."""
        self.fill("A", "B", "A")
        response = self.ask(pulled(subscription="A || C"))
        self.assertEqual(self.bodies(response), [b"0", b"2"])
        response = self.ask(pulled(subscription="C"))
        self.assertEqual((response.status, response.remark), (20, "NO_MATCHED_MESSAGE"))
        self.assertEqual((response.next_begin_offset, response.body), (3, b""))

    def test_heartbeat_subscription(self) -> None:
        """Without one, that of the group's heartbeats selects."""
        self.fill("A", "B", "A")
        self.subscribe("B", version=5)
        response = self.ask(pulled(sys_flag=0, subscription=None, sub_version=5))
        self.assertEqual(self.bodies(response), [b"1"])

    def test_how_many(self) -> None:
        """At most as many as asked for, and one at least."""
        self.fill("", "", "")
        self.assertEqual(len(self.bodies(self.ask(pulled(max_msg_nums=2)))), 2)
        self.assertEqual(len(self.bodies(self.ask(pulled(max_msg_nums=0)))), 1)
        self.assertEqual(len(self.bodies(self.ask(pulled(max_msg_bytes=1)))), 1)
        self.assertEqual(len(self.bodies(self.ask(pulled(max_msg_bytes=-1)))), 1)

    def test_offsets_outside(self) -> None:
        """Every offset beside the queue is answered with where to go on."""
        self.fill("", "")
        expected = {
            2: (19, "OFFSET_OVERFLOW_ONE", 2),
            3: (21, "OFFSET_OVERFLOW_BADLY", 2),
            (1 << 63) - 1: (21, "OFFSET_OVERFLOW_BADLY", 2),
            -1: (21, "OFFSET_TOO_SMALL", 0),
            -(1 << 63): (21, "OFFSET_TOO_SMALL", 0),
        }
        for asked, said in expected.items():
            response = self.ask(pulled(queue_offset=asked))
            found = (response.status, response.remark, response.next_begin_offset)
            self.assertEqual(found, said)

    def test_empty_queue(self) -> None:
        """A queue without messages is waited at, unless the offset is not its first."""
        for asked, status in ((0, 19), (7, 21), (-1, 21)):
            response = self.ask(pulled(queue_offset=asked))
            self.assertEqual((response.status, response.next_begin_offset), (status, 0))

    def test_fields_of_every_status(self) -> None:
        """Java reads four numbers from each of these responses."""
        names = {"suggestWhichBrokerId", "nextBeginOffset", "minOffset", "maxOffset"}
        for asked in (0, 1, -1):
            ext = to_ext(self.ask(pulled(queue_offset=asked)))
            self.assertLessEqual(names, ext.keys())

    def test_commit(self) -> None:
        """The offset that comes along is kept, if the flag says so."""
        self.ask(pulled(commit_offset=5))
        self.assertIsNone(self.tables.offsets.query(GROUP, TOPIC, 0))
        self.ask(pulled(commit_offset=5, sys_flag=SUBSCRIPTION | COMMIT_OFFSET))
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 5)

    def test_commit_below_zero(self) -> None:
        """An offset below zero that comes along says nothing."""
        flags = SUBSCRIPTION | COMMIT_OFFSET
        self.ask(pulled(commit_offset=-1, sys_flag=flags))
        self.assertIsNone(self.tables.offsets.query(GROUP, TOPIC, 0))
        self.ask(pulled(commit_offset=5, sys_flag=flags))
        self.ask(pulled(commit_offset=-1, sys_flag=flags))
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 5)


class RefusedTests(PullCase):
    """What Apache RocketMQ refuses, in its order."""

    def forbidden(self, kind: int, words: str, request: Any) -> None:
        """Expect a code 16 of that kind."""
        self.refused(16, words, request)
        self.assertEqual(self.ask(request).forbidden_type, str(kind))

    def test_group(self) -> None:
        """A group that may not be called so is not there, and makes no file."""
        before = self.files()
        for name in ("../../x", "", "g" * 121, "gr\u00fcn", "a b"):
            self.refused(26, f"[{name}] does not exist", pulled(consumer_group=name))
            self.assertIsNone(self.tables.groups.get(name))
        self.assertEqual(self.files(), before)

    def test_group_disabled(self) -> None:
        """A group may be kept from consuming."""
        self.tables.groups.put(SubscriptionGroup(GROUP, consume_enable=False))
        self.forbidden(2, f"the group [{GROUP}] may not consume", pulled())

    def test_topic(self) -> None:
        """Unknown topics are refused, those that may not be read too."""
        self.refused(17, "topic[../../x] not exist", pulled("../../x"))
        self.topic("Secret", perm=PERM_WRITE)
        self.forbidden(3, "the topic [Secret] is not readable", pulled("Secret"))

    def test_queue(self) -> None:
        """So are queues that are not there."""
        for queue_id in (-1, 4, (1 << 31) - 1):
            self.refused(29, f"queueId[{queue_id}]", pulled(queue_id=queue_id))

    def test_numbers(self) -> None:
        """Numbers that do not fit are refused by name."""
        self.refused(1, "maxMsgNums is -1", pulled(max_msg_nums=-1))
        for name in ("queueOffset", "commitOffset", "suspendTimeoutMillis"):
            self.refused(1, f"the field {name} is", pulled(), {name: str(1 << 63)})
        for name in ("queueId", "maxMsgNums", "sysFlag", "maxMsgBytes"):
            self.refused(1, f"the field {name} is", pulled(), {name: str(1 << 31)})

    def test_expression(self) -> None:
        """An expression without tags is refused."""
        self.refused(23, 'expression "||" is wrong', pulled(subscription="||"))

    def test_nobody_online(self) -> None:
        """A pull without subscription needs a heartbeat before it."""
        self.refused(24, f"no member of [{GROUP}] is online", pulled(sys_flag=0))

    def test_not_subscribed(self) -> None:
        """The group must read the topic, and as it says now."""
        self.subscribe(version=5)
        self.topic("Other")
        self.refused(24, "does not subscribe to [Other]", pulled("Other", sys_flag=0))
        late = pulled(sys_flag=0, sub_version=6)
        self.refused(25, "5 is known, the pull was made with 6", late)

    def test_broadcasting(self) -> None:
        """A group may be kept from broadcasting."""
        settings = SubscriptionGroup(GROUP, consume_broadcast_enable=False)
        self.tables.groups.put(settings)
        self.subscribe(message_model="BROADCASTING")
        self.forbidden(4, "may not consume by broadcasting", pulled(sys_flag=0))

    def test_topic_forbidden_to_group(self) -> None:
        """A group may be kept from one topic."""
        self.tables.groups.forbidden_table[GROUP] = {TOPIC: 4}
        self.subscribe()
        self.forbidden(5, "may not read the topic", pulled(sys_flag=0))


class WriteOnlyTests(PullCase):
    """A broker that lets nobody read, nor pull lightly."""

    settings = {"broker_permission": PERM_WRITE}

    def test_broker(self) -> None:
        """The broker's permission comes first."""
        response = self.ask(pulled(consumer_group=""))
        self.assertEqual((response.status, response.forbidden_type), (16, "1"))
        self.assertIn("[broker-a] is not readable", response.remark)


class NoLitePullTests(PullCase):
    """A broker that forbids code 361."""

    settings = {"lite_pull_message_enable": False}

    def test_lite(self) -> None:
        """Only that code is refused."""
        fields = {n: getattr(pulled(), n) for n in pulled().__struct_fields__}
        self.refused(16, "lite pull", LitePullMessage(**fields))
        self.assertEqual(self.ask(pulled()).status, 19)


class HeldTests(PullCase):
    """Pulls that wait."""

    def hold(self, **fields: Any) -> Deferred[Any]:
        """Pull from the end of the queue, and expect to wait."""
        end = self.store.max_offset(TOPIC, 0)
        values = {"queue_offset": end, "sys_flag": HELD} | fields
        response = self.ask(pulled(**values))
        self.assertNoResult(response)
        return response  # type: ignore[no-any-return]

    def test_arrival(self) -> None:
        """A message that comes is handed out in the same moment."""
        response = self.hold()
        self.fill("A")
        self.clock.advance(0)
        self.assertEqual(self.bodies(self.successResultOf(response)), [b"0"])
        self.assertEqual(len(self.held), 0)

    def test_batch_arrives(self) -> None:
        """All that came in one turn goes out in one response."""
        response = self.hold()
        self.fill("A", "A", "A")
        self.clock.advance(0)
        self.assertEqual(len(self.bodies(self.successResultOf(response))), 3)

    def test_others_wait_on(self) -> None:
        """Other tags and other queues wake nobody."""
        response = self.hold(subscription="B")
        self.fill("A")
        self.ask(sent(queue_id=1, properties="TAGS\x01B\x02"))
        self.clock.advance(0)
        self.assertNoResult(response)
        self.fill("B")
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).next_begin_offset, 2)

    def test_time_is_up(self) -> None:
        """After its time the pull is answered with nothing new."""
        response = self.hold()
        self.clock.pump([1.0] * 14)
        self.assertNoResult(response)
        self.clock.pump([1.0, 1.0])
        self.assertEqual(self.successResultOf(response).status, 19)

    def test_only_skipped(self) -> None:
        """When only others' messages came, it learns how far to go on."""
        response = self.hold(subscription="B", suspend_timeout_millis=0)
        self.fill("A")
        self.clock.pump([1.0, 1.0])
        found = self.successResultOf(response)
        self.assertEqual((found.status, found.next_begin_offset), (20, 1))

    def test_commits_once(self) -> None:
        """The offset that comes along is kept before the wait, not after it."""
        self.hold(sys_flag=HELD | COMMIT_OFFSET, commit_offset=3)
        self.tables.offsets.commit(GROUP, TOPIC, 0, 9)
        self.fill("A")
        self.clock.advance(0)
        self.assertEqual(self.tables.offsets.query(GROUP, TOPIC, 0), 9)

    def test_not_held(self) -> None:
        """What is found, moved or may not wait gets its response at once."""
        self.fill("A")
        for offset, flags, status in ((0, HELD, 0), (9, HELD, 21), (1, 4, 19)):
            response = self.ask(pulled(queue_offset=offset, sys_flag=flags))
            self.assertEqual(response.status, status)

    def test_deleted_topic(self) -> None:
        """A held pull of a deleted topic is refused at its deadline."""
        self.fill("A")
        response = self.hold()
        self.tables.topics.delete(TOPIC)
        self.store.delete_topic(TOPIC)
        self.clock.pump([1.0] * 17)
        self.assertEqual(self.successResultOf(response).status, 17)

    def test_topic_created_again(self) -> None:
        """A held pull of a topic that begins again learns where that ends."""
        self.fill("A", "A")
        response = self.hold()
        self.store.delete_topic(TOPIC)
        self.fill("A")
        self.clock.advance(0)
        found = self.successResultOf(response)
        self.assertEqual((found.status, found.next_begin_offset), (21, 1))

    def test_group_disabled_meanwhile(self) -> None:
        """What was forbidden meanwhile is not handed out."""
        response = self.hold()
        self.tables.groups.put(SubscriptionGroup(GROUP, consume_enable=False))
        self.fill("A")
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(response).status, 16)


class ShortPollingTests(PullCase):
    """A broker that holds pulls for a second only."""

    settings = {"long_polling_enable": False}

    def test_short(self) -> None:
        """What the client would wait does not count."""
        response = self.ask(pulled(sys_flag=HELD))
        self.clock.pump([1.0, 1.0])
        self.assertEqual(self.successResultOf(response).status, 19)


class LimitTests(PullCase):
    """More pulls than may be held."""

    settings = {"max_held_pulls": 3, "max_held_pulls_per_connection": 2}

    def test_refused(self) -> None:
        """One too many is refused in a sentence; Java tries it again in 3 s."""
        held = [self.ask(pulled(sys_flag=HELD)) for _ in range(2)]
        words = "maxHeldPullsPerConnection allows no more"
        self.refused(2, words, pulled(sys_flag=HELD))
        self.assertEqual(self.ask(pulled()).status, 19)
        self.assertEqual(self.stats.gauges["heldPulls"](), 2)
        self.assertEqual(self.stats.gauges["heldPullsRefused"](), 1)
        self.fill("A")
        self.clock.advance(0)
        for each in held:
            self.successResultOf(each)
        self.assertNoResult(self.ask(pulled(queue_offset=1, sys_flag=HELD)))


class KeptTests(PullCase):
    """What a pull that waits keeps of its header."""

    settings = {"max_held_pull_tags": 3}

    def test_texts(self) -> None:
        """No text that it needs no more: its subscription has 65,536 characters."""
        request = pulled(sys_flag=HELD, subscription="a||b")
        found = self.router.find(request.code)
        assert found is not None
        call = call_from(self.peer, self.clock.seconds())
        self.assertNoResult(found[1](request, call))
        self.assertEqual((request.subscription, request.expression_type), (None, None))

    def test_tags(self) -> None:
        """Its filter counts by its tags."""
        self.ask(pulled(sys_flag=HELD, subscription="a||b"))
        words = "maxHeldPullTags allows no more"
        self.refused(2, words, pulled(sys_flag=HELD, subscription="c||d"))
        self.ask(pulled(sys_flag=HELD))
        self.assertEqual(self.stats.gauges["heldPullTags"](), 2)
        self.assertEqual(self.stats.gauges["heldPulls"](), 2)


class ColdPullTests(PullCase):
    """Messages that are not in memory."""

    def chill(self) -> Deferred[Any]:
        """Let the store's next response come later."""
        later: Deferred[Any] = Deferred()
        real = self.store.get

        def get(*what: Any) -> Deferred[Any]:
            return later.addCallback(lambda _: real(*what))

        self.patch(self.store, "get", get)
        return later

    def test_responds_later(self) -> None:
        """With the same response."""
        self.fill("A", "B", "A")
        later = self.chill()
        response = self.ask(pulled())
        self.assertNoResult(response)
        later.callback(None)
        found = self.successResultOf(response)
        self.assertEqual((found.status, found.next_begin_offset), (0, 3))


class HeapTests(PullCase):
    """How much the garbage collector has to look at while pulls are held."""

    def test_few_objects_for_each(self) -> None:
        """A full collection stops all: with 100,000 pulls, each object counts."""
        protocol = RemotingProtocol(self.router, self.clock)
        protocol.makeConnection(StringTransport())
        self.addCleanup(protocol.connectionLost)
        pull = pulled(queue_offset=1, sys_flag=HELD)
        frames = [encode_request(pull, number) for number in range(1100)]
        self.fill("")
        protocol.dataReceived(b"".join(frames[:100]))
        gc.collect()
        before = len(gc.get_objects())
        protocol.dataReceived(b"".join(frames[100:]))
        self.assertEqual(len(self.held), 1100)
        gc.collect()
        self.assertLess(len(gc.get_objects()) - before, 8 * 1000)
