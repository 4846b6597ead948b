"""A broker without sockets and threads: on a clock, its files in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory
from typing import Any
from unittest import TestCase

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rocketmq_tw.broker.access.settings import AccessSettings
from rocketmq_tw.broker.broker import Broker, Install
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.delay import feature as delay
from rocketmq_tw.broker.delay.schedule import ScheduleService
from rocketmq_tw.broker.features import FEATURES
from rocketmq_tw.broker.pull import feature as pull
from rocketmq_tw.broker.pull.held import HeldPulls
from rocketmq_tw.broker.service import BrokerService
from rocketmq_tw.broker.tables.clients import ClientTable
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.model.subscription import parse
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.durable import AfterFlush, AwaitingFlush
from rocketmq_tw.remoting.router import ErrorResponse, Router
from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.testing import ManualThreads, MemoryNetwork
from rocketmq_tw.testing.timeline import Timeline
from rocketmq_tw.wire import record
from rocketmq_tw.wire.command import decode_json, encode_response
from rocketmq_tw.wire.fields import Ext, Request, Response, from_ext, to_ext
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, PullMessage
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.broker.doubles import MemoryConnection, call_from, client_of
from tests.store.cases import StoreCase

TOPIC = "TopicTest"
GROUP = "GroupTest"
HOST = host_to_bytes("10.0.0.9", 4000)
STORE_HOST = host_to_bytes("10.0.0.1", 10911)
#: Small files, and small messages.
SMALL = BrokerConfig(
    broker_name="broker-a",
    broker_ip1="10.0.0.1",
    mapped_file_size_commit_log=64 << 10,
    mapped_file_size_consume_queue=2000,
    max_message_size=4096,
    max_hash_slot_num=100,
    max_index_num=400,
    # Requests come from 10.0.0.9.
    access=AccessSettings(remote_administration=True),
)


def when_flushed(outcome: AfterFlush, router: Router) -> Any:
    """
    Let a response wait for the disk, as the frame that a connection would send.

    :returns: its Deferred; the response if it need not wait.
    """
    done: Deferred[Response] = Deferred()

    def read(frame: bytes) -> None:
        command = decode_json(frame[8:], b"")
        if command.remark is not None:
            refusal = ErrorResponse(status=command.code, remark=command.remark)
            return done.callback(refusal)
        response = from_ext(type(outcome.response), command.fields)
        response.status = command.code
        done.callback(response)

    waiting = AwaitingFlush(
        send=read,
        on_sent=lambda count: None,
        refuse=lambda _, error: encode_response(router.refusal(Failure(error)), 1),
        postpone=lambda work: work(),
    )
    frame = encode_response(outcome.response, 1)
    waits = waiting.add(frame, count=1, end=outcome.end, now=0, log=outcome.log)
    return done if waits else outcome.response


class Peer(MemoryConnection):
    """A client's connection, as handlers see it."""

    def __init__(self, host: bytes = HOST) -> None:
        super().__init__()
        self.host_bytes = host


def sent(topic: str = TOPIC, body: bytes = b"Hello", **fields: Any) -> SendMessageV2:
    """Make a send as Java clients make it."""
    values: dict[str, Any] = {
        "producer_group": "PG",
        "topic": topic,
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": 0,
        "sys_flag": 0,
        "born_timestamp": 1,
        "flag": 0,
        "properties": "",
        "body": body,
    }
    return SendMessageV2(**values | fields)


def pulled(topic: str = TOPIC, queue_offset: int = 0, **fields: Any) -> PullMessage:
    """Make a pull that brings its subscription with it, and does not wait."""
    values: dict[str, Any] = {
        "consumer_group": GROUP,
        "topic": topic,
        "queue_id": 0,
        "queue_offset": queue_offset,
        "max_msg_nums": 32,
        "sys_flag": SUBSCRIPTION,
        "commit_offset": 0,
        "suspend_timeout_millis": 15_000,
        "subscription": "*",
    }
    return PullMessage(**values | fields)


def in_memory(case: TestCase) -> str:
    """Make a folder's name where files take no time, with nothing beside it."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = TemporaryDirectory(prefix="rocketmq-", dir=base)
    case.addCleanup(folder.cleanup)
    return os.path.join(folder.name, "store")


class BrokerCase(StoreCase):
    """
    Has a running broker, made as programs make it, and asks it as a connection does.

    :cvar settings: of the broker, over those of :data:`SMALL`.
    :cvar name_servers: where it registers.
    :ivar network: its host is 10.0.0.1 there.
    :ivar threads: runs what the broker hands to threads: at once unless it is held.
    :ivar disk: what the store's files are on; None is the real one.
    :ivar broker: the parts that features share.
    :ivar made: what the features returned when they were installed, by ``install``.
    """

    settings: dict[str, Any] = {}
    name_servers: tuple[str, ...] = ()
    disk: Disk | None = None

    def setUp(self) -> None:
        """Start a broker in an empty folder."""
        super().setUp()
        self.root = in_memory(self)
        self.network = MemoryNetwork(self.clock)
        self.threads = ManualThreads(held=False)
        self.start()

    def start(self) -> None:
        """
        Start a broker on what is in the folder.

        :raises RocketMQError: why it cannot start.
        """
        settings = {"store_path_root_dir": self.root, **self.settings}
        self.made: dict[Install, Any] = {}
        self.service = BrokerService(
            self.network.reactor("10.0.0.1"),
            msgspec.structs.replace(SMALL, **settings),
            name_servers=self.name_servers,
            run_in_thread=self.threads,
            features=[
                self._watched(install) for install in (*FEATURES, *self.more_features())
            ],
            disk=self.disk,
        )
        self.addCleanup(self.end, self.service)
        self.service.startService()
        started = self.service.started
        assert started is not None
        Timeline(self.clock).result_of(started)
        self.store: Any = self.broker.store
        self.tables = self.broker.tables
        self.stats = self.broker.stats
        self.held: HeldPulls = self.made[pull.install]
        self.schedule: ScheduleService = self.made[delay.install]
        self.peer = Peer()

    def more_features(self) -> Sequence[Install]:
        """Return features that only some programs have."""
        return ()

    def _watched(self, install: Install) -> Install:
        """Remember what a feature is installed into, and what it returns."""

        def watched(broker: Broker, router: Router) -> object:
            self.broker, self.router = broker, router
            self.made[install] = install(broker, router)
            return self.made[install]

        return watched

    def stop(self) -> None:
        """Stop the broker in good order."""
        Timeline(self.clock).result_of(self.service.stopService())

    def restart(self) -> None:
        """Stop in good order and start again."""
        self.stop()
        self.start()

    def end(self, service: BrokerService) -> None:
        """Stop a service at the end of a test, also on a disk that has failed."""
        self.threads.release()
        stopped = service.stopService()
        stopped.addErrback(lambda failure: failure.trap(OSError))
        Timeline(self.clock).result_of(stopped)

    def ask(self, request: Request[Any], ext: Ext | None = None) -> Any:
        """
        Ask; what a handler raises becomes the response.

        :param ext: fields of the header that replace the request's own.
        :returns: the response, or its Deferred.
        """
        return self.ask_raw(request.code, to_ext(request) | (ext or {}), request.body)

    def ask_raw(self, code: int, ext: Ext, body: bytes) -> Any:
        """Do as :meth:`ask`, with the fields as they come over the wire."""
        call = call_from(self.peer, self.clock.wall_seconds())
        self.peer.last_seen = self.clock.seconds()
        found = self.router.find(code)
        assert found is not None
        kind, handler = found

        def handle() -> Any:
            read = from_ext(kind, ext)
            read.body = body
            return handler(read, call)

        return self.response_of(handle)

    def response_of(self, handle: Callable[[], Any]) -> Any:
        """Return the response of a handler, or its Deferred; errors are refusals."""
        try:
            outcome = handle()
        except Exception:
            outcome = self.router.refusal(Failure())
        if isinstance(outcome, AfterFlush):
            outcome = when_flushed(outcome, self.router)
        if isinstance(outcome, Deferred):
            outcome.addCallback(self._flushed)
            outcome.addErrback(self.router.refusal)
        return outcome

    def _flushed(self, response: Any) -> Any:
        """Wait for the disk too, if that is what a Deferred gave."""
        if isinstance(response, AfterFlush):
            return when_flushed(response, self.router)
        return response

    def refused(
        self, code: int, words: str, request: Request[Any], ext: Ext | None = None
    ) -> None:
        """Ask, and expect a code and a remark that says what and why."""
        answer = self.ask(request, ext)
        self.assertEqual((int(answer.status), answer.remark), (code, answer.remark))
        self.assertIn(words, answer.remark)
        self.assertEqual(self.flushLoggedErrors(), [])

    def stored(self, request: Request[Any]) -> StoredMessage:
        """Ask for something to be stored, and read the last record of the log."""
        before = self.store.commit_log_max
        answer: Response = self.ask(request)
        self.assertEqual((answer.status, answer.remark), (0, None))
        return self.record_at(before)

    def record_at(self, commit_log_offset: int) -> StoredMessage:
        """Read a record."""
        data = self.store.record_at(commit_log_offset)
        assert data is not None
        return record.decode(data)

    def messages(self, topic: str, queue_id: int = 0) -> list[StoredMessage]:
        """Read a whole queue."""
        found: list[StoredMessage] = []
        while len(found) < self.store.max_offset(topic, queue_id):
            fetched = self.store.get(topic, queue_id, len(found), 32, 1 << 20, None)
            found += record.decode_all(fetched.data)
        return found

    def topic(self, name: str = TOPIC, queues: int = 4, **fields: Any) -> None:
        """Create a topic."""
        self.tables.topics.put(TopicConfig(name, queues, queues, **fields))

    def subscribe(self, expression: str = "*", version: int = 1, **more: Any) -> None:
        """Let the group consume, as a heartbeat does."""
        clients: ClientTable = self.tables.clients
        subscription = parse(TOPIC, expression, version)
        values = {
            "consume_type": "CONSUME_PASSIVELY",
            "message_model": "CLUSTERING",
            "consume_from": "CONSUME_FROM_LAST_OFFSET",
        }
        clients.register_consumer(
            GROUP,
            client_of(self.peer, self.clock.seconds()),
            **values | {"subscriptions": [subscription]} | more,
        )

    def files(self) -> list[str]:
        """List everything that is beside and below the store's folder."""
        above = os.path.dirname(os.path.abspath(self.root))
        return sorted(os.path.join(at, n) for at, _, ns in os.walk(above) for n in ns)
