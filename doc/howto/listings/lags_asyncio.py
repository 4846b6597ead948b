"""Print what the doctor finds, in a program of asyncio."""

import asyncio

from rocketmq_tw.aio import AdminClient


async def main():
    async with AdminClient("127.0.0.1:9876") as admin:
        stats = await admin.topics.stats("TopicTest")
        print(f"{stats.messages} messages in {len(stats.queues)} queues")
        async for found in admin.doctor(topic="NoSuchTopic", wait=0):
            print(f"{found.subject}: {found.sentence}")


asyncio.run(main())
