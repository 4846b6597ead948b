"""Ways to send, with ``await``."""

from twisted.internet import task
from twisted.internet.defer import gatherResults

from rocketmq_tw import Client, Message
from rocketmq_tw.client import SendError


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        producer = client.producer("await-producer")

        # One message; consumers choose by its tag, and its keys are for finding it.
        paid = Message("TopicTest", b"paid", tag="paid", keys=["order-42"])
        result = await producer.send(paid)
        print("stored:", result.message_id)

        # In order: messages of one key go to one queue, the one Java would choose.
        for step in (b"created", b"paid", b"shipped"):
            await producer.send(Message("TopicTest", step), key="order-42")

        # Many at once: each send has its own Deferred. Beyond 1,024 messages or
        # 64 MiB in flight, the others wait.
        sends = [producer.send(Message("TopicTest", b"%d" % n)) for n in range(100)]
        print("stored:", len(await gatherResults(sends)))

        # Small ones in one request.
        await producer.send_batch(
            [Message("TopicTest", b"a"), Message("TopicTest", b"b")]
        )

        # Without a response: waits only while the socket is full.
        await producer.send_oneway(Message("TopicTest", b"a line of a log"))

        try:
            await producer.send(Message("TopicTest", b"late"), timeout=0.000001)
        except SendError as error:
            print("not stored, as far as we know:", error)


task.react(main)
