"""Consume a topic as a member of a group, one message after another."""

from twisted.internet import task

from rocketmq_tw import EARLIEST, Client


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        async with client.pull_consumer("pull-group", start_from=EARLIEST) as consumer:
            consumer.subscribe("TopicTest")
            async for message in consumer:
                # The message is committed once this body has ended.
                print(message.queue_id, message.queue_offset, message.body)


task.react(main)
