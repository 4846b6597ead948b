"""Send one message, and print where it is stored."""

from twisted.internet import task

from rocketmq_tw import Client, Message


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        producer = client.producer("first-producer")
        result = await producer.send(Message("TopicTest", b"Hello, RocketMQ"))
        print(result.status.name, result.queue, result.queue_offset)


task.react(main)
