"""
The client for programs of asyncio: coroutines, and asynchronous iteration.

::

    async with Client("ns1:9876;ns2:9876") as client:
        await client.producer("orders-out").send(Message("orders", b"paid"))
        async with client.pull_consumer("billing") as consumer:
            consumer.subscribe("orders")
            async for message in consumer:
                ...

It is the same client, on the program's own event loop. No reactor is installed and no
signal handled: ``asyncio.run`` and cancellation work as everywhere in asyncio.
"""

from typing import TYPE_CHECKING

from rocketmq_tw.aio.client import Client
from rocketmq_tw.aio.producer import Producer
from rocketmq_tw.aio.pull import PullConsumer
from rocketmq_tw.aio.push import PushConsumer
from rocketmq_tw.aio.reader import QueueReader
from rocketmq_tw.aio.simple import SimpleConsumer
from rocketmq_tw.aio.transactions import Transaction, TransactionProducer
from rocketmq_tw.lazy_exports import importer_of

if TYPE_CHECKING:
    from rocketmq_tw.aio.admin import AdminClient as AdminClient

__all__ = [
    "AdminClient",
    "Client",
    "Producer",
    "PullConsumer",
    "PushConsumer",
    "QueueReader",
    "SimpleConsumer",
    "Transaction",
    "TransactionProducer",
]

if not TYPE_CHECKING:  # most programs administrate nothing
    __getattr__ = importer_of(__name__, {"AdminClient": "rocketmq_tw.aio.admin"})
