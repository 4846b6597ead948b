"""Consume the messages of each queue in the order in which they are stored."""

from twisted.internet import task

from rocketmq_tw import EARLIEST, Client
from rocketmq_tw.client import Suspend


def on_message(message):
    if message.body == b"not yet" and message.reconsume_times < 3:
        # It comes again after two seconds, before the next message of its queue.
        return Suspend(2.0)
    print(message.topic, message.queue_id, message.queue_offset, message.body)


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        consumer = client.push_consumer(
            "in-order", ordered=True, max_retries=20, start_from=EARLIEST
        )
        consumer.subscribe("TopicTest", "*", on_message)
        await consumer.start()
        await consumer.done


task.react(main)
