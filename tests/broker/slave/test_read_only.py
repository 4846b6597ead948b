"""Tests of what a slave refuses, and what it serves."""

from __future__ import annotations

from typing import Any

from rocketmq_tw.broker.slave.read_only import refuse_writes
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.recall import encode_handle
from rocketmq_tw.wire.requests.admin import CleanUnusedTopics
from rocketmq_tw.wire.requests.group import (
    DeleteGroup,
    DeleteGroups,
    UpdateForbidden,
    UpdateGroup,
    UpdateGroups,
)
from rocketmq_tw.wire.requests.offset import GetMaxOffset, UpdateConsumerOffset
from rocketmq_tw.wire.requests.recall import RecallMessage
from rocketmq_tw.wire.requests.send import SendBack, SendMessageV2
from rocketmq_tw.wire.requests.topic import (
    CreateTopic,
    CreateTopics,
    DeleteTopic,
    DeleteTopics,
)
from rocketmq_tw.wire.requests.transaction import (
    EndTransaction,
    ResumeCheckHalfMessage,
)
from tests.broker.cases import sent
from tests.broker.slave.cases import PairCase


class ReadOnlyTests(PairCase):
    """A slave takes nothing that its master is to decide."""

    def refused(self, request: Any) -> tuple[int, str]:
        """Return the code and the remark with which the slave refuses a request."""
        call = self.cluster.call
        error = self.assertRaises(BrokerError, call, self.slave, request)
        return error.code, error.remark or ""

    def test_sends(self) -> None:
        """They have the code at which producers try another broker."""
        code, remark = self.refused(sent())
        self.assertEqual(code, ResponseCode.SERVICE_NOT_AVAILABLE)
        self.assertIn("this broker is a slave", remark)
        code, _ = self.refused(SendMessageV2(**_fields(sent()), batch=True))
        self.assertEqual(code, ResponseCode.SERVICE_NOT_AVAILABLE)
        self.assertNotIn("TopicTest", self.topics(self.slave).topic_config_table)

    def test_send_back(self) -> None:
        """A message is sent back to the master only."""
        code, remark = self.refused(SendBack(offset=0, group="G", delay_level=0))
        self.assertEqual(code, ResponseCode.SYSTEM_ERROR)
        self.assertEqual(remark, "no master available along with 10.0.1.2")

    def test_ends(self) -> None:
        """Transactions are ended at the master."""
        request = EndTransaction(
            producer_group="P",
            tran_state_table_offset=0,
            commit_log_offset=0,
            commit_or_rollback=8,
        )
        code, remark = self.refused(request)
        self.assertEqual(code, ResponseCode.SLAVE_NOT_AVAILABLE)
        self.assertIn("this broker is a slave", remark)
        code, _ = self.refused(ResumeCheckHalfMessage("T", "id"))
        self.assertEqual(code, ResponseCode.SLAVE_NOT_AVAILABLE)

    def test_recalls(self) -> None:
        """So are timed messages recalled: the slave's log would get a record."""
        self.cluster.create_topic("T")
        self.cluster.advance(63)
        time_ms = int(self.cluster.clock.seconds() * 1000) + 60_000
        handle = encode_handle("T", "broker-a", time_ms, "K").decode()
        code, remark = self.refused(RecallMessage("T", handle))
        self.assertEqual(code, ResponseCode.SLAVE_NOT_AVAILABLE)
        self.assertIn("recalled at its master", remark)

    def test_changes(self) -> None:
        """Topics and groups are changed at the master."""
        create = CreateTopic(topic="T", read_queue_nums=1, write_queue_nums=1, perm=6)
        groups = UpdateGroups(body=b'{"groupConfigList":[{"groupName":"G"}]}')
        topics = CreateTopics(body=b'{"topicConfigList":[]}')
        others = DeleteTopic("T"), UpdateGroup(), DeleteGroup("G")
        forbid = UpdateForbidden("G", "T", False)
        lists = DeleteTopics(body=b"{}"), DeleteGroups(body=b"{}")
        for request in (create, groups, topics, forbid, *others, *lists):
            code, remark = self.refused(request)
            self.assertEqual(code, ResponseCode.SYSTEM_ERROR)
            self.assertIn("execute it from master broker", remark)

    def test_unused_topics(self) -> None:
        """
        None is removed: a topic may come with the next copy of its master's.

        The request succeeds, as tools send it to all brokers of a cluster.
        """
        router = Router()
        router.on(CleanUnusedTopics, lambda request, call: self.fail("removed"))
        refuse_writes(router, "10.0.1.2")
        found = router.find(CleanUnusedTopics.code)
        assert found is not None
        call: Any = None
        response: Any = found[1](CleanUnusedTopics(), call)
        self.assertEqual((response.status, response.remark), (0, None))
        self.cluster.call(self.slave, CleanUnusedTopics())

    def test_served(self) -> None:
        """Offsets are read and committed."""
        self.cluster.create_topic("T")
        self.cluster.advance(63)
        response = self.cluster.call(self.slave, GetMaxOffset("T", 0))
        self.assertEqual(response.offset, 0)
        self.cluster.call(self.slave, UpdateConsumerOffset("G", "T", 0, 3))
        self.assertEqual(self.offsets(self.slave).offset_table, {"T@G": {0: 3}})


def _fields(request: SendMessageV2) -> dict[str, Any]:
    """Return the fields of a request, but not whether it is a batch."""
    names = [name for name in request.__struct_fields__ if name != "batch"]
    return {name: getattr(request, name) for name in names}
