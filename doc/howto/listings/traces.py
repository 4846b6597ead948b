"""Write traces of a message, and read them."""

from twisted.internet import task
from twisted.internet.defer import Deferred

from rocketmq_tw import EARLIEST, Client, Message


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        consumed = Deferred()
        consumer = client.push_consumer("traced", trace=True, start_from=EARLIEST)
        consumer.subscribe("TopicTest", "traced", consumed.callback)
        await consumer.start()

        producer = client.producer("tracing", trace=True)
        result = await producer.send(Message("TopicTest", b"whence?", tag="traced"))
        await consumed
        print("mqadmin queryMsgTraceById -i", result.message_id)
    # Traces that wait are written before the client stops.


task.react(main)
