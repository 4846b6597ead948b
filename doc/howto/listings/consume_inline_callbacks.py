"""The same with ``inlineCallbacks``."""

from twisted.internet import task
from twisted.internet.defer import inlineCallbacks

from rocketmq_tw import EARLIEST, Client


@inlineCallbacks
def main(reactor):
    @inlineCallbacks
    def on_message(message):
        yield task.deferLater(reactor, 0.01)
        print(message.body)

    client = yield Client(reactor, "127.0.0.1:9876").start()
    consumer = client.push_consumer("inline-consumer", start_from=EARLIEST)
    consumer.subscribe("TopicTest", "*", on_message)
    yield consumer.start()
    yield consumer.done


task.react(main)
