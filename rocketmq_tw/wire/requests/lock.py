"""
Locks on queues, for consumers that consume in order.

Source: ``LockBatchMqRequestHeader``, ``UnlockBatchMqRequestHeader``; bodies in
:mod:`rocketmq_tw.wire.bodies.locks`.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class LockQueues(Request[Response]):
    """Lock queues; the response's body lists those that are held now."""

    code: ClassVar[int] = RequestCode.LOCK_BATCH_MQ


class UnlockQueues(Request[Response]):
    """Release the locks of queues."""

    code: ClassVar[int] = RequestCode.UNLOCK_BATCH_MQ
