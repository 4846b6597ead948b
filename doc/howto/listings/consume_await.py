"""Consume a topic as a member of a group, until the program is stopped."""

from twisted.internet import task

from rocketmq_tw import EARLIEST, Client, Retry, Tags


async def on_message(message):
    # Returning is success. After an exception, or Retry, it is delivered again later.
    if message.body == b"" and message.reconsume_times < 3:
        return Retry(level=1)
    print(message.topic, message.queue_id, message.queue_offset, message.body)


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        consumer = client.push_consumer("await-consumer", start_from=EARLIEST)
        consumer.subscribe("TopicTest", "*", on_message)
        consumer.subscribe("Orders", Tags("paid", "refunded"), on_message)
        await consumer.start()
        await consumer.done


task.react(main)
