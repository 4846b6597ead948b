"""Transactions in a program of asyncio."""

import asyncio

from rocketmq_tw import COMMIT, Message
from rocketmq_tw.aio import Client


async def check(message):
    return COMMIT  # a broker asks: look whether the order was placed


async def main():
    async with Client("127.0.0.1:9876") as client:
        producer = client.transaction_producer("orders-aio", check)
        async with await producer.begin(Message("TopicTest", b"order 4")) as order:
            print("placed:", order.id)


asyncio.run(main())
