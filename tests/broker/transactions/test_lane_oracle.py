"""The lane of transactions against the handlers: any mixture of what comes."""

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
from rocketmq_tw.model import sysflag
from rocketmq_tw.model.message import PGROUP, TAGS, TRAN_MSG, UNIQ_KEY, WAIT
from rocketmq_tw.model.topic import TRANS_HALF_TOPIC, TopicConfig
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.command import ONE_WAY
from rocketmq_tw.wire.fields import to_ext
from tests.broker.cases import sent
from tests.broker.send.test_lane_variants import PLAIN
from tests.broker.send.twins import Twins
from tests.broker.send.ways import frame_of, in_binary

TOPICS = ("A", "B", "C")
CONNECTIONS = 2
GROUP = "PG"
USUAL = {TRAN_MSG: "true", PGROUP: GROUP, UNIQ_KEY: "0A01", TAGS: "TagA"}
#: What the properties of half messages may have besides.
MORE: tuple[dict[str, str], ...] = (
    {},
    {},
    {WAIT: "true", "KEYS": "a b"},
    {WAIT: "false"},
    {UNIQ_KEY: ""},
    {UNIQ_KEY: 'not-"a-usual" k\u00fcy'},
    {TAGS: ""},
    {TAGS: "t" * 65},
    {TRAN_MSG: "TRUE"},
    {TRAN_MSG: "no"},
    {PGROUP: ""},
    {PGROUP: "Other"},
    {"CHECK_IMMUNITY_TIME_IN_SECONDS": "1"},
    {"CHECK_IMMUNITY_TIME_IN_SECONDS": "x"},
    {"DELAY": "1"},
    {"TIMER_DELAY_MS": "5"},
    {"TIMER_OTHER": "5"},
    {"_SYS_MSG_PRIORITY_": "1"},
    {"POP_CK": "1"},
    {"REAL_TOPIC": "C", "REAL_QID": "7"},
    {"TRAN_PREPARED_QUEUE_OFFSET": "0", "__halfStoredMs": "1"},
    {"TRANSACTION_CHECK_TIMES": "3"},
    {"__transactionId__": "mine"},
    {"x": "\u00fc\u20ac"},
    {"big": "b" * 3000},
)
_OPAQUES = st.sampled_from([1, 7, -5, (1 << 31) - 1])
_FLAGS = st.sampled_from([0, ONE_WAY])


@st.composite
def halves(draw: st.DrawFn) -> bytes:
    """Write the send of a half message, most of them as usual."""
    texts = {**USUAL, **draw(st.sampled_from(MORE))}
    text = properties.encode(texts)
    if not draw(st.integers(0, 9)):
        text = text[:-1]
    prepared = sysflag.PREPARED
    values: dict[str, Any] = {
        "queue_id": draw(st.sampled_from([0, 1, 2, 3, 0, 1, -1, 4])),
        "sys_flag": draw(st.sampled_from([prepared, prepared, 0, 1, 8, 0x10])),
        "reconsume_times": draw(st.sampled_from([None, None, 2])),
        "flag": draw(st.sampled_from([0, 7])),
        "properties": text,
    }
    body = b"x" * draw(st.sampled_from([0, 5, 3000, 4097]))
    request = sent(draw(st.sampled_from(TOPICS)), **values)
    flag = draw(st.sampled_from([0, 0, ONE_WAY]))
    return frame_of(310, to_ext(request), body, opaque=draw(_OPAQUES), flag=flag)


@st.composite
def usual_halves(draw: st.DrawFn) -> bytes:
    """Write the send of a half message as most are."""
    texts = {**USUAL, **draw(st.sampled_from([{}, {WAIT: "true"}, {WAIT: "false"}]))}
    request = sent(
        draw(st.sampled_from(TOPICS[:2])),
        queue_id=draw(st.integers(0, 3)),
        sys_flag=sysflag.PREPARED,
        properties=properties.encode(texts),
    )
    return frame_of(310, to_ext(request), b"half", opaque=draw(_OPAQUES))


@st.composite
def plain_sends(draw: st.DrawFn) -> bytes:
    """Write a plain send, if its topic and queue are known."""
    topic = draw(st.sampled_from(TOPICS))
    request = sent(topic, queue_id=draw(st.integers(0, 3)), properties=PLAIN)
    return frame_of(310, to_ext(request), b"plain", opaque=draw(_OPAQUES))


#: Which half message is ended, counted from the last one, and how.
_ENDS = st.fixed_dictionaries(
    {
        "back": st.integers(0, 6),
        "bits": st.sampled_from([8] * 6 + [12] * 4 + [0, 4]),
        "group": st.sampled_from([GROUP] * 9 + ["Other"]),
        "topic": st.sampled_from([None] * 6 + ["A", "B", TRANS_HALF_TOPIC, "X"]),
        "checked": st.booleans(),
        "shift": st.sampled_from([0] * 9 + [1]),
        "flag": _FLAGS,
        "opaque": _OPAQUES,
    }
)
_SENDS = st.one_of(halves(), usual_halves(), usual_halves(), plain_sends())
_REQUESTS = st.one_of(_SENDS, _ENDS)
_BINARY = st.one_of(
    _SENDS.map(in_binary), _ENDS.map(lambda end: {**end, "is_binary": True})
)
#: Most reads have headers of one form.
_READS = st.one_of(
    st.lists(_REQUESTS, min_size=1, max_size=8),
    st.lists(_BINARY, min_size=1, max_size=8),
    st.lists(st.one_of(_REQUESTS, _BINARY), min_size=1, max_size=8),
)


def begin(twins: Twins) -> None:
    """Make two topics, whose queues have messages, and a half message."""
    for topic in TOPICS[:2]:
        config = TopicConfig(topic, 4, 4)
        twins.do(lambda one, it=config: one.broker.tables.topics.put(it))
        for queue_id in range(4):
            values = to_ext(sent(topic, queue_id=queue_id, properties=PLAIN))
            twins.receive_alone(frame_of(310, values))
    twins.receive_alone(half_of())
    twins.do(lambda one: one.clock.advance(1.1))


def half_of(
    more: dict[str, str] | None = None,
    body: bytes = b"half",
    topic: str = "A",
    **fields: Any,
) -> bytes:
    """Write the send of a half message."""
    text = properties.encode({**USUAL, **(more or {})})
    values: dict[str, Any] = {"sys_flag": sysflag.PREPARED, "properties": text}
    return frame_of(310, to_ext(sent(topic, **values | fields)), body)


def end_of(
    twins: Twins,
    offset: int,
    *,
    bits: int = sysflag.COMMIT,
    group: str = GROUP,
    topic: str | None = None,
    checked: bool = False,
    shift: int = 0,
    flag: int = 0,
    opaque: int = 1,
    is_binary: bool = False,
) -> bytes:
    """
    Write the end of a half message, by its queue offset.

    :param shift: by how much its commit log offset is wrong.
    """
    store: Any = twins.both[1].broker.store
    queue = store._queues.find(TRANS_HALF_TOPIC, 0)
    entry = None if queue is None else queue.entry(offset)
    ext = {
        "producerGroup": group,
        "tranStateTableOffset": str(offset),
        "commitLogOffset": str((0 if entry is None else entry[0]) + shift),
        "commitOrRollback": str(bits),
        "fromTransactionCheck": "true" if checked else "false",
    }
    if topic is not None:
        ext["topic"] = topic
    frame = frame_of(37, ext, opaque=opaque, flag=flag)
    return in_binary(frame) if is_binary else frame


class TransactionMachine(RuleBasedStateMachine):
    """Does the same to both brokers, which compare."""

    flush = FlushDiskType.ASYNC_FLUSH
    settings: dict[str, Any] = {"transaction_op_msg_max_size": 40}

    def __init__(self) -> None:
        super().__init__()
        self.twins = Twins(CONNECTIONS, self.flush, self.settings)

    @initialize()
    def begin(self) -> None:
        """Make what there must be for the lane to take anything."""
        begin(self.twins)

    @rule(read=_READS, connection=st.integers(0, CONNECTIONS - 1))
    def send(self, read: list[Any], connection: int) -> None:
        """Send; ends name half messages that there are by now."""
        data = [each if isinstance(each, bytes) else self._end(**each) for each in read]
        self.twins.receive(connection, b"".join(data))

    @rule(seconds=st.sampled_from([0.0, 0.001, 1.1, 4.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.twins.do(lambda one: one.clock.advance(seconds))

    @rule()
    def written(self) -> None:
        """Let the entries of the queues be written, and the log be unmapped."""

        def do(one: Any) -> None:
            store = one.broker.store
            for queue in store._queues.table.values():
                queue.flush()

        self.twins.do(do)

    def teardown(self) -> None:
        """Compare what is stored."""
        self.twins.stop()

    def _end(self, back: int, shift: int, **fields: Any) -> bytes:
        """Write an end of one of the last half messages."""
        offset = max(self.twins.both[1].broker.store.max_offset(TRANS_HALF_TOPIC, 0), 1)
        return end_of(self.twins, max(offset - 1 - back, 0), shift=shift, **fields)


class SyncFlushMachine(TransactionMachine):
    """Does so with brokers that flush before they respond."""

    flush = FlushDiskType.SYNC_FLUSH
    settings: dict[str, Any] = {}


class LimitedMachine(TransactionMachine):
    """Does so with brokers that keep few half messages."""

    settings: dict[str, Any] = {"max_half_messages": 4}


_SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class TransactionOracleTests(SynchronousTestCase):
    """Both do the same."""

    def test_alike(self) -> None:
        """Whatever comes in which order."""
        run_state_machine_as_test(TransactionMachine, settings=_SETTINGS)

    def test_with_sync_flush(self) -> None:
        """Also where the responses wait for the disk."""
        run_state_machine_as_test(SyncFlushMachine, settings=_SETTINGS)

    def test_limited(self) -> None:
        """Also where too many half messages are refused."""
        run_state_machine_as_test(LimitedMachine, settings=_SETTINGS)
