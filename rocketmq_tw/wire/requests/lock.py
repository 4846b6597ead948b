"""
Locks on queues, held by consumers that read in order.

Source: ``LockBatchMqRequestHeader``, ``UnlockBatchMqRequestHeader``; bodies in
:mod:`rocketmq_tw.wire.bodies.locks`.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class LockQueues(Request[Response]):
    """Ask for queues; the response's body names those that are held now."""

    code: ClassVar[int] = RequestCode.LOCK_BATCH_MQ


class UnlockQueues(Request[Response]):
    """Release the locks of queues."""

    code: ClassVar[int] = RequestCode.UNLOCK_BATCH_MQ
