"""
Producers and consumers.

A :class:`~rocketmq_tw.client.client.Client` holds the connections, the routes and the
heartbeats; producers and consumers are made from it. The names below are imported on
first use: a producer does not load the consumers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_tw.lazy_exports import importer_of

if TYPE_CHECKING:
    from rocketmq_tw.client.client import Client as Client
    from rocketmq_tw.client.config import ClientConfig as ClientConfig
    from rocketmq_tw.client.consumer.config import ConsumerConfig as ConsumerConfig
    from rocketmq_tw.client.consumer.config import ConsumerOptions as ConsumerOptions
    from rocketmq_tw.client.consumer.config import StopReport as StopReport
    from rocketmq_tw.client.consumer.dispatch.outcomes import ACK as ACK
    from rocketmq_tw.client.consumer.dispatch.outcomes import DEAD_LETTER as DEAD_LETTER
    from rocketmq_tw.client.consumer.dispatch.outcomes import (
        MessageHandler as MessageHandler,
    )
    from rocketmq_tw.client.consumer.dispatch.outcomes import Outcome as Outcome
    from rocketmq_tw.client.consumer.dispatch.outcomes import Partial as Partial
    from rocketmq_tw.client.consumer.dispatch.outcomes import Retry as Retry
    from rocketmq_tw.client.consumer.dispatch.outcomes import Suspend as Suspend
    from rocketmq_tw.client.consumer.expressions import Sql as Sql
    from rocketmq_tw.client.consumer.expressions import Tags as Tags
    from rocketmq_tw.client.consumer.group.consistent_hash import (
        consistent_hash as consistent_hash,
    )
    from rocketmq_tw.client.consumer.group.rooms import by_config as by_config
    from rocketmq_tw.client.consumer.group.rooms import machine_room as machine_room
    from rocketmq_tw.client.consumer.group.rooms import (
        machine_room_nearby as machine_room_nearby,
    )
    from rocketmq_tw.client.consumer.group.strategy import Strategy as Strategy
    from rocketmq_tw.client.consumer.lite.config import (
        PullConsumerConfig as PullConsumerConfig,
    )
    from rocketmq_tw.client.consumer.lite.config import (
        PullConsumerOptions as PullConsumerOptions,
    )
    from rocketmq_tw.client.consumer.lite.consumer import PullConsumer as PullConsumer
    from rocketmq_tw.client.consumer.offsets.start import EARLIEST as EARLIEST
    from rocketmq_tw.client.consumer.offsets.start import LATEST as LATEST
    from rocketmq_tw.client.consumer.offsets.start import StartFrom as StartFrom
    from rocketmq_tw.client.consumer.pull_result import PullResult as PullResult
    from rocketmq_tw.client.consumer.pull_result import PullStatus as PullStatus
    from rocketmq_tw.client.consumer.push import PushConsumer as PushConsumer
    from rocketmq_tw.client.consumer.queue_reader import QueueReader as QueueReader
    from rocketmq_tw.client.consumer.simple.consumer import (
        SimpleConsumer as SimpleConsumer,
    )
    from rocketmq_tw.client.consumer.simple.popped import PoppedMessage as PoppedMessage
    from rocketmq_tw.client.errors import Attempt as Attempt
    from rocketmq_tw.client.errors import BatchesIncomplete as BatchesIncomplete
    from rocketmq_tw.client.errors import BrokerUnreachable as BrokerUnreachable
    from rocketmq_tw.client.errors import CommitError as CommitError
    from rocketmq_tw.client.errors import GroupInUse as GroupInUse
    from rocketmq_tw.client.errors import NameServerUnavailable as NameServerUnavailable
    from rocketmq_tw.client.errors import NoRouteError as NoRouteError
    from rocketmq_tw.client.errors import NotAssigned as NotAssigned
    from rocketmq_tw.client.errors import NotDurable as NotDurable
    from rocketmq_tw.client.errors import NotRunning as NotRunning
    from rocketmq_tw.client.errors import OffsetOutOfRange as OffsetOutOfRange
    from rocketmq_tw.client.errors import QueueFull as QueueFull
    from rocketmq_tw.client.errors import ReceiptExpired as ReceiptExpired
    from rocketmq_tw.client.errors import ReplyTimeout as ReplyTimeout
    from rocketmq_tw.client.errors import SendCancelled as SendCancelled
    from rocketmq_tw.client.errors import SendError as SendError
    from rocketmq_tw.client.errors import StateError as StateError
    from rocketmq_tw.client.errors import ValidationError as ValidationError
    from rocketmq_tw.client.producer.config import ProducerConfig as ProducerConfig
    from rocketmq_tw.client.producer.config import ProducerOptions as ProducerOptions
    from rocketmq_tw.client.producer.producer import Producer as Producer
    from rocketmq_tw.client.producer.results import SendResult as SendResult
    from rocketmq_tw.client.producer.results import SendStatus as SendStatus
    from rocketmq_tw.client.producer.selectors import Key as Key
    from rocketmq_tw.client.producer.selectors import Selector as Selector
    from rocketmq_tw.client.producer.selectors import by_go_fnv as by_go_fnv
    from rocketmq_tw.client.producer.selectors import by_java_hash as by_java_hash
    from rocketmq_tw.client.transactions.producer import (
        TransactionProducer as TransactionProducer,
    )
    from rocketmq_tw.client.transactions.transaction import Transaction as Transaction
    from rocketmq_tw.client.transactions.verdict import COMMIT as COMMIT
    from rocketmq_tw.client.transactions.verdict import ROLLBACK as ROLLBACK
    from rocketmq_tw.client.transactions.verdict import UNKNOWN as UNKNOWN
    from rocketmq_tw.client.transactions.verdict import (
        TransactionResult as TransactionResult,
    )
    from rocketmq_tw.client.transactions.verdict import Verdict as Verdict

#: Where each public name is defined; a test compares this with the imports above.
_HOMES = {
    "Client": "rocketmq_tw.client.client",
    "ClientConfig": "rocketmq_tw.client.config",
    "ConsumerConfig": "rocketmq_tw.client.consumer.config",
    "ConsumerOptions": "rocketmq_tw.client.consumer.config",
    "StopReport": "rocketmq_tw.client.consumer.config",
    "ACK": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "DEAD_LETTER": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "MessageHandler": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "Outcome": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "Partial": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "Retry": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "Suspend": "rocketmq_tw.client.consumer.dispatch.outcomes",
    "consistent_hash": "rocketmq_tw.client.consumer.group.consistent_hash",
    "by_config": "rocketmq_tw.client.consumer.group.rooms",
    "machine_room": "rocketmq_tw.client.consumer.group.rooms",
    "machine_room_nearby": "rocketmq_tw.client.consumer.group.rooms",
    "Strategy": "rocketmq_tw.client.consumer.group.strategy",
    "PullConsumerConfig": "rocketmq_tw.client.consumer.lite.config",
    "PullConsumerOptions": "rocketmq_tw.client.consumer.lite.config",
    "PullConsumer": "rocketmq_tw.client.consumer.lite.consumer",
    "EARLIEST": "rocketmq_tw.client.consumer.offsets.start",
    "LATEST": "rocketmq_tw.client.consumer.offsets.start",
    "StartFrom": "rocketmq_tw.client.consumer.offsets.start",
    "PullResult": "rocketmq_tw.client.consumer.pull_result",
    "PullStatus": "rocketmq_tw.client.consumer.pull_result",
    "PushConsumer": "rocketmq_tw.client.consumer.push",
    "QueueReader": "rocketmq_tw.client.consumer.queue_reader",
    "SimpleConsumer": "rocketmq_tw.client.consumer.simple.consumer",
    "PoppedMessage": "rocketmq_tw.client.consumer.simple.popped",
    "Sql": "rocketmq_tw.client.consumer.expressions",
    "Tags": "rocketmq_tw.client.consumer.expressions",
    "Attempt": "rocketmq_tw.client.errors",
    "BatchesIncomplete": "rocketmq_tw.client.errors",
    "BrokerUnreachable": "rocketmq_tw.client.errors",
    "CommitError": "rocketmq_tw.client.errors",
    "GroupInUse": "rocketmq_tw.client.errors",
    "NameServerUnavailable": "rocketmq_tw.client.errors",
    "NoRouteError": "rocketmq_tw.client.errors",
    "NotAssigned": "rocketmq_tw.client.errors",
    "NotDurable": "rocketmq_tw.client.errors",
    "NotRunning": "rocketmq_tw.client.errors",
    "OffsetOutOfRange": "rocketmq_tw.client.errors",
    "QueueFull": "rocketmq_tw.client.errors",
    "ReceiptExpired": "rocketmq_tw.client.errors",
    "ReplyTimeout": "rocketmq_tw.client.errors",
    "SendCancelled": "rocketmq_tw.client.errors",
    "SendError": "rocketmq_tw.client.errors",
    "StateError": "rocketmq_tw.client.errors",
    "ValidationError": "rocketmq_tw.client.errors",
    "ProducerConfig": "rocketmq_tw.client.producer.config",
    "ProducerOptions": "rocketmq_tw.client.producer.config",
    "Producer": "rocketmq_tw.client.producer.producer",
    "SendResult": "rocketmq_tw.client.producer.results",
    "SendStatus": "rocketmq_tw.client.producer.results",
    "Key": "rocketmq_tw.client.producer.selectors",
    "Selector": "rocketmq_tw.client.producer.selectors",
    "by_go_fnv": "rocketmq_tw.client.producer.selectors",
    "by_java_hash": "rocketmq_tw.client.producer.selectors",
    "TransactionProducer": "rocketmq_tw.client.transactions.producer",
    "Transaction": "rocketmq_tw.client.transactions.transaction",
    "COMMIT": "rocketmq_tw.client.transactions.verdict",
    "ROLLBACK": "rocketmq_tw.client.transactions.verdict",
    "UNKNOWN": "rocketmq_tw.client.transactions.verdict",
    "TransactionResult": "rocketmq_tw.client.transactions.verdict",
    "Verdict": "rocketmq_tw.client.transactions.verdict",
}

__all__ = [
    "ACK",
    "Attempt",
    "BatchesIncomplete",
    "BrokerUnreachable",
    "by_config",
    "by_go_fnv",
    "by_java_hash",
    "Client",
    "ClientConfig",
    "CommitError",
    "consistent_hash",
    "ConsumerConfig",
    "ConsumerOptions",
    "DEAD_LETTER",
    "EARLIEST",
    "GroupInUse",
    "Key",
    "LATEST",
    "machine_room",
    "machine_room_nearby",
    "MessageHandler",
    "NameServerUnavailable",
    "NoRouteError",
    "NotAssigned",
    "NotDurable",
    "NotRunning",
    "OffsetOutOfRange",
    "Outcome",
    "Partial",
    "PoppedMessage",
    "Producer",
    "ProducerConfig",
    "ProducerOptions",
    "PullConsumer",
    "PullConsumerConfig",
    "PullConsumerOptions",
    "PullResult",
    "PullStatus",
    "PushConsumer",
    "QueueFull",
    "QueueReader",
    "ReceiptExpired",
    "ReplyTimeout",
    "Retry",
    "Selector",
    "SendCancelled",
    "SendError",
    "SendResult",
    "SendStatus",
    "SimpleConsumer",
    "StartFrom",
    "StateError",
    "StopReport",
    "Strategy",
    "Suspend",
    "Sql",
    "Tags",
    "TransactionProducer",
    "Transaction",
    "COMMIT",
    "ROLLBACK",
    "UNKNOWN",
    "TransactionResult",
    "Verdict",
    "ValidationError",
]


if not TYPE_CHECKING:  # otherwise any name would pass the type checker
    __getattr__ = importer_of(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names, including those not imported yet."""
    return sorted([*globals(), *__all__])
