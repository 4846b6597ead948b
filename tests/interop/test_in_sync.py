"""
A SYNC_MASTER without slaves, and strict locks, of both makes.

What a master responds to a send, and how long that takes, is the same for Apache's and
ours; locks are passed on between the makes.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.wire.bodies.locks import LockBatchRequestBody, LockBatchResponseBody
from rocketmq_tw.wire.requests.lock import LockQueues
from rocketmq_tw.wire.requests.send import SendBack
from tests.longrun.broker import Link, send

from .lab import OURS, Lab, Server
from .pairs import some
from .program import wait_until
from .test_replication import SETTINGS, SLAVE

ACTING: dict[str, Any] = {
    "enableSlaveActingMaster": "true",
    "totalReplicas": 2,
    "skipPreOnline": "true",
}
AUTO = {"enableAutoInSyncReplicas": "true"}
IGNORED = {**AUTO, "minInSyncReplicas": 2, "allAckInSyncStateSet": "true"}
#: Settings beside inSyncReplicas=2; the code of a send, and whether that takes 3 s.
CASES: dict[str, tuple[dict[str, Any], int, bool]] = {
    "plain": ({}, 12, True),
    "minimum": ({**ACTING, **AUTO, "minInSyncReplicas": 2}, 1, False),
    "acting": (ACTING, 1, False),
    "adapted": ({**ACTING, **AUTO}, 0, False),
    "ignored": (IGNORED, 12, True),
}


@pytest.mark.parametrize("case", some([*CASES], 2))
@pytest.mark.parametrize("make", ["v55", OURS])
def test_without_slaves(lab: Lab, make: str, case: str) -> None:
    """The code of a send. Who does not wait succeeds, and so does a send-back."""
    more, code, is_slow = CASES[case]
    names = lab.name_server("v55")
    settings = {"brokerRole": "SYNC_MASTER", "inSyncReplicas": 2, **more}
    broker = lab.broker(make, names, **settings)
    link = Link(int(broker.address.rpartition(":")[2]))
    # What it waits for depends on its members, for which it asks each second.
    wait_until(lambda: link.ask(send("T", 0, b"x")).code == code, 60, f"code {code}")
    found = link.ask(send("T", 0, b"x", properties="WAIT\x01false\x02"))
    assert found.code == 0
    began = time.monotonic()
    found = link.ask(send("T", 0, b"x"))
    assert found.code == code
    assert (time.monotonic() - began > 2) is is_slow
    if code == 1:
        assert found.remark == "in-sync replicas not enough"
    began = time.monotonic()
    found = link.ask(SendBack(group="G", offset=0, delay_level=0))
    assert found.code == 0
    assert time.monotonic() - began < 2
    link.close()


def locked(broker: Server, client: str) -> list[int]:
    """Lock two queues at a broker; return those that it gives."""
    queues = frozenset(MessageQueue("T", "broker-pair", number) for number in (0, 1))
    body = LockBatchRequestBody("G", client, queues).encode()
    link = Link(int(broker.address.rpartition(":")[2]))
    response = link.ask(LockQueues(body=body))
    link.close()
    held = LockBatchResponseBody.decode(response.body).lock_ok_mq_set
    return sorted(each.queue_id for each in held)


@pytest.mark.parametrize(("master", "slave"), [(OURS, "v55"), ("v55", OURS)])
def test_strict_locks(lab: Lab, master: str, slave: str) -> None:
    """A lock needs both brokers, whoever is asked."""
    names = lab.name_server("v55")
    strict = {**ACTING, "lockInStrictMode": "true"}
    first = lab.broker(master, names, "broker-pair", **SETTINGS, **strict)
    second = lab.broker(slave, names, "broker-pair", **SLAVE, **strict)
    wait_until(lambda: locked(first, "one") == [0, 1], 60, "locks of both brokers")
    assert locked(second, "two") == []
    lab.kill(second)
    assert locked(first, "one") == []
