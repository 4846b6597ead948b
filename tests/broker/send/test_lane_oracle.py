"""The lane against the handlers: any mixture of sends, pulls and changes of topics."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import FlushDiskType
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.wire.command import ONE_WAY
from rocketmq_tw.wire.fields import to_ext
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, SUSPEND
from rocketmq_tw.wire.requests.topic import DeleteTopic
from tests.broker.cases import pulled, sent
from tests.broker.send.test_batch import batched
from tests.broker.send.test_lane_variants import PLAIN, TEXTS, TIMED
from tests.broker.send.twins import Twins
from tests.broker.send.ways import frame_of, in_binary

TOPICS = ("A", "B", "C")
CONNECTIONS = 3


@st.composite
def plain_sends(draw: st.DrawFn) -> bytes:
    """Write a plain send, if its topic and queue are known."""
    fields: dict[str, Any] = {
        "queue_id": draw(st.integers(0, 3)),
        "properties": PLAIN,
        "reconsume_times": draw(st.sampled_from([None, 2])),
    }
    request = sent(draw(st.sampled_from(TOPICS)), **fields)
    body = b"x" * draw(st.sampled_from([0, 5, 3000]))
    flag = draw(st.sampled_from([0, 0, 0, ONE_WAY]))
    return frame_of(310, to_ext(request), body, opaque=draw(_OPAQUES), flag=flag)


@st.composite
def special_sends(draw: st.DrawFn) -> bytes:
    """Write a send that is not plain, or looks so."""
    topic = draw(st.sampled_from(TOPICS))
    if draw(st.integers(0, 4)) == 0:
        batch = batched(b"1", b"22", topic=topic)
        return frame_of(320, to_ext(batch), batch.body, opaque=draw(_OPAQUES))
    fields: dict[str, Any] = {
        "queue_id": draw(st.integers(-1, 4)),
        "properties": draw(st.sampled_from([PLAIN + "DELAY\x011\x02", *TEXTS, *TIMED])),
        "sys_flag": draw(st.sampled_from([0, 0, 1, 4, 0x10])),
    }
    body = b"x" * draw(st.sampled_from([5, 4097]))
    code = draw(st.sampled_from([310, 310, 310, 10]))
    request = sent(topic, **fields)
    return frame_of(code, to_ext(request), body, opaque=draw(_OPAQUES))


_OPAQUES = st.sampled_from([1, 7, -5, (1 << 31) - 1])
_SENDS = st.one_of(plain_sends(), plain_sends(), special_sends())
#: Most reads have headers of one form.
_READS = st.one_of(
    st.lists(_SENDS, min_size=1, max_size=8),
    st.lists(_SENDS.map(in_binary), min_size=1, max_size=8),
    st.lists(st.one_of(_SENDS, _SENDS.map(in_binary)), min_size=1, max_size=8),
)


class LaneMachine(RuleBasedStateMachine):
    """Does the same to both brokers, which compare."""

    flush = FlushDiskType.ASYNC_FLUSH

    def __init__(self) -> None:
        super().__init__()
        self.twins = Twins(CONNECTIONS, self.flush)
        self._late = [b""] * CONNECTIONS

    @initialize()
    def begin(self) -> None:
        """Make two topics, whose queues have messages."""
        for topic in TOPICS[:2]:
            self.change_topic(topic, 4)
            for queue_id in range(4):
                values = to_ext(sent(topic, queue_id=queue_id, properties=PLAIN))
                self.twins.receive_alone(frame_of(310, values))

    @rule(
        read=_READS,
        connection=st.integers(0, CONNECTIONS - 1),
        kept=st.sampled_from([0, 0, 0, 50]),
    )
    def send(self, read: list[bytes], connection: int, kept: int) -> None:
        """Send; the end of a read may come with the next."""
        self._receive(connection, b"".join(read), kept)

    @rule(read=_READS)
    def send_alone(self, read: list[bytes]) -> None:
        """Send over a new connection."""
        self.twins.receive_alone(b"".join(read))

    @rule(
        topic=st.sampled_from(TOPICS),
        queue_id=st.integers(0, 3),
        queue_offset=st.integers(0, 20),
        connection=st.integers(0, CONNECTIONS - 1),
    )
    def pull(
        self, topic: str, queue_id: int, queue_offset: int, connection: int
    ) -> None:
        """Pull; at the end of a queue the pull is held."""
        request = pulled(
            topic,
            queue_offset,
            queue_id=queue_id,
            sys_flag=SUBSCRIPTION | SUSPEND,
            suspend_timeout_millis=3000,
            subscription="TagA",
        )
        self._receive(connection, frame_of(11, to_ext(request), opaque=500))

    @rule(topic=st.sampled_from(TOPICS), queues=st.integers(1, 4))
    def change_topic(self, topic: str, queues: int) -> None:
        """Give a topic another number of queues."""
        config = TopicConfig(topic, queues, queues)
        self.twins.do(lambda one: one.broker.tables.topics.put(config))

    @rule(topic=st.sampled_from(TOPICS))
    def delete_topic(self, topic: str) -> None:
        """Delete a topic, and its queues."""
        request = DeleteTopic(topic=topic)
        self._receive(0, frame_of(int(DeleteTopic.code), to_ext(request), opaque=600))

    @rule(seconds=st.sampled_from([0.0, 0.001, 1.1]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.twins.do(lambda one: one.clock.advance(seconds))

    def teardown(self) -> None:
        """Compare what is stored."""
        self.twins.stop()

    def _receive(self, connection: int, data: bytes, kept: int = 0) -> None:
        """Let bytes come behind what is late of the last read, but for the end."""
        data = self._late[connection] + data
        end = len(data) - kept
        self._late[connection] = data[end:]
        self.twins.receive(connection, data[:end])


class SyncFlushMachine(LaneMachine):
    """Does so with brokers that flush before they respond."""

    flush = FlushDiskType.SYNC_FLUSH


_SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class LaneOracleTests(SynchronousTestCase):
    """Both do the same."""

    def test_alike(self) -> None:
        """Whatever comes in which order."""
        run_state_machine_as_test(LaneMachine, settings=_SETTINGS)

    def test_with_sync_flush(self) -> None:
        """Also where the responses wait for the disk."""
        run_state_machine_as_test(SyncFlushMachine, settings=_SETTINGS)
