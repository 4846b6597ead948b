"""The same with ``inlineCallbacks``."""

from twisted.internet import task
from twisted.internet.defer import inlineCallbacks

from rocketmq_tw import Client, Message


@inlineCallbacks
def main(reactor):
    client = yield Client(reactor, "127.0.0.1:9876").start()
    try:
        producer = client.producer("inline-producer")
        result = yield producer.send(Message("TopicTest", b"paid"))
        print("stored:", result.message_id)
    finally:
        yield client.stop()


task.react(main)
