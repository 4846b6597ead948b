"""Send as a user of a broker with access control."""

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rocketmq_tw import Client, Credentials, Message


async def main(reactor):
    bob = Credentials("bob", "another-secret")
    async with Client(reactor, "127.0.0.1:9876", credentials=bob) as client:
        producer = client.producer("billing-out")
        result = await producer.send(Message("TopicTest", b"paid"))
        print("stored:", result.message_id)


react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
