"""Ask for messages, and acknowledge each of them."""

from twisted.internet import task

from rocketmq_tw import Client


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        consumer = client.simple_consumer("receivers", invisible_time=30)
        while True:
            for popped in await consumer.receive("TopicTest", wait=15):
                print(popped.topic, popped.message.queue_offset, popped.body)
                await consumer.ack(popped)


task.react(main)
