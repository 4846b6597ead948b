"""Ask for messages in a program of asyncio, one after another."""

import asyncio
import signal

from rocketmq_tw import EARLIEST
from rocketmq_tw.aio import Client


async def main():
    loop = asyncio.get_running_loop()
    async with Client("127.0.0.1:9876") as client:
        consumer = client.pull_consumer("asyncio-pull", start_from=EARLIEST)
        consumer.subscribe("TopicTest")
        async with consumer:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, consumer.end_loops)
            async for message in consumer:
                await asyncio.sleep(0.01)
                print(message.body)


asyncio.run(main())
