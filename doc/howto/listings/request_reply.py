"""Ask other programs by messages, and reply to them."""

from twisted.internet import task

from rocketmq_tw import EARLIEST, Client, Message
from rocketmq_tw.client import ReplyTimeout


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:

        async def handle(message):
            # Another program as a rule: it needs nothing but the message.
            await client.reply(message, b"%d" % (int(message.body) * 2))

        consumer = client.push_consumer("doubling", start_from=EARLIEST)
        consumer.subscribe("TopicTest", "double", handle)
        await consumer.start()

        double = Message("TopicTest", b"21", tag="double")
        reply = await client.request(double, timeout=10)
        print("the reply:", reply.body)

        try:
            await client.request(Message("TopicTest", b"anybody?"), timeout=0.5)
        except ReplyTimeout as error:
            print(error)


task.react(main)
