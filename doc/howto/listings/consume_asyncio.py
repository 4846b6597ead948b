"""Consume a topic in a program of asyncio, until a signal comes."""

import asyncio
import signal

from rocketmq_tw import EARLIEST
from rocketmq_tw.aio import Client


async def consume(message):
    await asyncio.sleep(0.01)
    print(message.body)


async def main():
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with Client("127.0.0.1:9876") as client:
        consumer = client.push_consumer("asyncio-consumer", start_from=EARLIEST)
        consumer.subscribe("TopicTest", "*", consume)
        async with consumer:
            await stopping.wait()


asyncio.run(main())
