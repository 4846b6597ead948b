"""Commands of administrators, as a broker passes them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.client.remote_commands import RemoteCommands
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.offsets import GetConsumerStatusBody, ResetOffsetBody
from rocketmq_tw.wire.bodies.running_info import (
    ConsumeMessageDirectlyResult,
    ConsumeResult,
    ConsumerRunningInfo,
)
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.consumer import (
    ConsumeMessageDirectly,
    GetConsumerRunningInfo,
    GetConsumerStatusFromClient,
    ResetConsumerClientOffset,
)
from tests.client.fakes import queues

[QUEUE] = queues("T", 1)


class Control:
    """Keeps what is commanded."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def reset_offsets(self, topic: str, offsets: Mapping[MessageQueue, int]) -> None:
        """Keep it."""
        self.calls.append((topic, dict(offsets)))

    def offsets_of(self, topic: str) -> dict[MessageQueue, int]:
        """Give an offset."""
        return {QUEUE: 7} if topic == "T" else {}

    def running_info(self, stacks: bool) -> ConsumerRunningInfo:
        """Describe it."""
        return ConsumerRunningInfo(jstack="stacks" if stacks else None)

    def consume_directly(
        self, record: bytes, broker_name: str
    ) -> Deferred[ConsumeMessageDirectlyResult]:
        """Keep it."""
        self.calls.append((record, broker_name))
        result = ConsumeMessageDirectlyResult(consume_result=ConsumeResult.CR_LATER)
        return succeed(result)


class RemoteCommandsTests(SynchronousTestCase):
    """A client with one consumer."""

    def setUp(self) -> None:
        """Register it."""
        self.router = Router()
        self.commands = RemoteCommands(self.router)
        self.control = Control()
        self.commands.add("G", self.control)

    def _send(self, request: Request[Any]) -> Any:
        """Send a request."""
        found = self.router.find(int(request.code))
        assert found is not None
        response: Any = found[1](request, None)  # type: ignore[arg-type]
        if isinstance(response, Deferred):
            response = self.successResultOf(response)
        return response

    def test_reset(self) -> None:
        """Offsets are reset without a response; unknown groups are ignored."""
        body = ResetOffsetBody(offset_table={QUEUE: 3}).encode()
        for group in ("G", "other"):
            request = ResetConsumerClientOffset("T", group, 0, True, body=body)
            self.assertIsNone(self._send(request))
        self.assertEqual(self.control.calls, [("T", {QUEUE: 3})])

    def test_status(self) -> None:
        """The offsets of a topic are returned."""
        response = self._send(GetConsumerStatusFromClient("T", "G"))
        table = GetConsumerStatusBody.decode(response.body).message_queue_table
        self.assertEqual(table, {QUEUE: 7})

    def test_running_info(self) -> None:
        """Stacks are included on request."""
        for wanted, stacks in ((True, "stacks"), (False, None), (None, None)):
            response = self._send(GetConsumerRunningInfo("G", "c", wanted))
            self.assertEqual(ConsumerRunningInfo.decode(response.body).jstack, stacks)

    def test_consume(self) -> None:
        """The result of the handler is returned."""
        request = ConsumeMessageDirectly("G", "c", broker_name="b", body=b"record")
        result = ConsumeMessageDirectlyResult.decode(self._send(request).body)
        self.assertEqual(result.consume_result, ConsumeResult.CR_LATER)
        self.assertEqual(self.control.calls, [(b"record", "b")])

    def test_no_consumer(self) -> None:
        """A group without a consumer here is refused, by name."""
        self.commands.remove("G")
        self.commands.remove("G")
        for request in (
            GetConsumerStatusFromClient("T", "G"),
            GetConsumerRunningInfo("G", "c"),
            ConsumeMessageDirectly("G", "c"),
        ):
            error = self.assertRaises(Refused, self._send, request)
            self.assertIn('"G"', str(error))
