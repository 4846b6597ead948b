"""
A name server and a broker that attack the clients that ask them.

    python -m tests.longrun.hostile.scripted SCRIPT

One port for both, which is printed. A script is a class that overrides what the honest
:class:`Script` responds: one topic, four queues, eight messages in the first.
"""

from __future__ import annotations

import sys
import zlib
from typing import Any

import lz4.frame
import zstandard
from twisted.internet import defer, task
from twisted.internet.interfaces import IReactorCore

from rocketmq_tw.model.msgid import host_to_bytes
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.protocol import RemotingProtocol
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.remoting.server import RemotingServerFactory
from rocketmq_tw.wire import record
from rocketmq_tw.wire.bodies.consumers import ConsumerIdList
from rocketmq_tw.wire.bodies.heartbeat import HeartbeatData
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import GetConsumerList, Heartbeat
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)
from rocketmq_tw.wire.requests.pull import PullMessage, PullResponse
from rocketmq_tw.wire.requests.route import GetRoute
from tests.longrun.hostile.peers import request

TOPIC = "Victim"
#: Messages in queue 0.
MESSAGES = 8


class Script:
    """The responses of a broker that does nothing wrong."""

    #: How often bytes of :meth:`intrude` are sent, in seconds; 0 for never.
    period = 0.0

    def __init__(self) -> None:
        self.port = 0
        self.client_id = ""

    def route(self) -> bytes:
        """Encode the route."""
        return (
            b'{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:%d"},"brokerName":"s",'
            b'"cluster":"c"}],"queueDatas":[{"brokerName":"s","perm":6,'
            b'"readQueueNums":%d,"topicSysFlag":0,"writeQueueNums":4}]}'
        ) % (self.port, self.queues())

    def queues(self) -> int:
        """Return how many there are."""
        return 4

    def members(self) -> tuple[str, ...]:
        """Return who is in the group."""
        return (self.client_id,)

    def committed(self) -> int:
        """Return the committed offset."""
        return 0

    def body(self, offset: int) -> tuple[int, bytes]:
        """Return the flags and the body of a message."""
        return 0, b"%d" % offset

    def pulled(self, asked: PullMessage) -> Response | defer.Deferred[Any]:
        """Respond to a pull."""
        offset = max(0, asked.queue_offset)
        if asked.topic != TOPIC or asked.queue_id or offset >= MESSAGES:
            return defer.Deferred()
        records = [self.record(at) for at in range(offset, MESSAGES)]
        return PullResponse(
            body=b"".join(records),
            suggest_which_broker_id=0,
            next_begin_offset=MESSAGES,
            min_offset=0,
            max_offset=MESSAGES,
        )

    def record(self, offset: int) -> bytes:
        """Encode a message."""
        flags, body = self.body(offset)
        host = host_to_bytes("127.0.0.1", self.port)
        draft = record.Draft(
            topic=TOPIC.encode(),
            queue_id=0,
            flag=0,
            sys_flag=flags,
            born_time_ms=1,
            born_host=host,
            body=body,
            properties=b"",
        )
        return record.encode(draft, offset, 1000 + offset, 1, host)

    def intrude(self, number: int) -> bytes:
        """Return what is sent without being asked for."""
        return b""


class Bombs(Script):
    """Messages of a few KB that inflate to 512 MiB each."""

    def __init__(self) -> None:
        super().__init__()
        zeros = bytes(512 << 20)
        self._bombs = [(0x1, zlib.compress(zeros, 9))]
        self._bombs.append((0x201, zstandard.compress(zeros)))
        self._bombs.append((0x101, lz4.frame.compress(zeros)))

    def body(self, offset: int) -> tuple[int, bytes]:
        """Return one of the bombs."""
        return self._bombs[offset % 3]


class Negative(Script):
    """The committed offset is -1, as Node's client commits it."""

    def committed(self) -> int:
        """Return an offset below zero."""
        return -1


class Responses(Script):
    """Responses that nobody waits for, with the numbers of others."""

    period = 0.05

    def intrude(self, number: int) -> bytes:
        """Encode 2,000 responses."""
        numbers = range(number * 1000, number * 1000 + 1000)
        return b"".join(request(1, None, flag=1, opaque=n + 10**6) for n in numbers) * 2


class Notices(Script):
    """The group has changed, again and again; and requests that clients do not know."""

    period = 0.05

    def intrude(self, number: int) -> bytes:
        """Encode 500 notices, of this group and of others, and unknown requests."""
        changed = {"consumerGroup": "victims"}
        notices = request(40, changed, flag=2) + request(40, {"consumerGroup": "x"})
        return (notices + request(307, changed) + request(9999)) * 125


class Routes(Script):
    """A topic of 65,535 queues, and a group of 50,000 members."""

    def queues(self) -> int:
        """Return as many as a topic may have."""
        return 65_535

    def members(self) -> tuple[str, ...]:
        """Return 50,000 members, the victim among them."""
        return (self.client_id, *(f"member-{n}" for n in range(50_000)))


class Pulls(Script):
    """Pulls that lead back, far ahead, and to records that are none."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def pulled(self, asked: PullMessage) -> Response | defer.Deferred[Any]:
        """Respond with one of many wrong ones."""
        self._count += 1
        offsets = [0, asked.queue_offset, -1, (1 << 63) - 1, -(1 << 63), 7]
        whole = self.record(0)
        bodies = [b"", b"\0" * 4, whole[:-1], whole * 3, b"\xff" * 1000, whole + b"\0"]
        bodies += [bytes(8 << 20), whole.replace(TOPIC.encode(), b"Other!")]
        response = PullResponse(
            body=bodies[self._count % len(bodies)],
            suggest_which_broker_id=self._count % 3 * 1000 - 1,
            next_begin_offset=offsets[self._count % len(offsets)],
            min_offset=-5,
            max_offset=offsets[self._count // 2 % len(offsets)],
        )
        response.status = (0, 19, 20, 21, 0, 1, 9999)[self._count % 7]
        return response


SCRIPTS: dict[str, type[Script]] = {
    "an honest broker": Script,
    "12 bombs in pulled messages": Bombs,
    "15 a committed offset of -1": Negative,
    "responses nobody waits for": Responses,
    "notices and unknown requests": Notices,
    "65,535 queues, 50,000 members": Routes,
    "pulls that lead astray": Pulls,
}


class Server:
    """Responds as a script says."""

    def __init__(self, reactor: Any, script: Script) -> None:
        self._script = script
        self._number = 0
        router = Router()
        router.on(GetRoute, lambda _r, _c: Response(body=script.route()))
        router.on(Heartbeat, self._heartbeat)
        router.on(GetConsumerList, self._members)
        router.on(
            QueryConsumerOffset, lambda _r, _c: OffsetResponse(script.committed())
        )
        router.on(GetMaxOffset, lambda _r, _c: OffsetResponse(MESSAGES))
        router.on(GetMinOffset, lambda _r, _c: OffsetResponse(0))
        router.on(UpdateConsumerOffset, lambda _r, _c: Response())
        router.on(PullMessage, lambda r, _c: script.pulled(r))
        self._factory = RemotingServerFactory(router, reactor)
        port = reactor.listenTCP(0, self._factory, interface="127.0.0.1")
        script.port = port.getHost().port
        if script.period:
            task.LoopingCall(self._intrude).start(script.period)

    def _heartbeat(self, asked: Heartbeat, call: Call) -> Response:
        """Note the client's id."""
        self._script.client_id = HeartbeatData.decode(asked.body).client_id
        return Response()

    def _members(self, asked: GetConsumerList, call: Call) -> Response:
        """Respond with the members."""
        return Response(body=ConsumerIdList(self._script.members()).encode())

    def _intrude(self) -> None:
        """Send what nobody asked for."""
        self._number += 1
        for each in self._factory.connections:
            connection: RemotingProtocol = each
            connection.transport.write(self._script.intrude(self._number))


def main(reactor: IReactorCore, name: str) -> defer.Deferred[None]:
    """Serve until the program is ended."""
    script = SCRIPTS[name]()
    Server(reactor, script)
    print(script.port, flush=True)
    return defer.Deferred()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
