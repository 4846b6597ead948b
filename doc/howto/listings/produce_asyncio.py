"""Send messages from a program of asyncio."""

import asyncio

from rocketmq_tw import Message
from rocketmq_tw.aio import Client


async def main():
    async with Client("127.0.0.1:9876") as client:
        producer = client.producer("asyncio-producer")
        messages = [Message("TopicTest", b"%d" % number) for number in range(10)]
        results = await asyncio.gather(*map(producer.send, messages))
        print("stored:", len(results))


asyncio.run(main())
