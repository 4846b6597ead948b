"""The same with plain callbacks; a handler may return a Deferred."""

from twisted.internet import task

from rocketmq_tw import EARLIEST, Client


def main(reactor):
    def on_message(message):
        # Consumed when the Deferred fires; at most 20 handlers run at a time.
        return task.deferLater(reactor, 0.01, print, message.body)

    client = Client(reactor, "127.0.0.1:9876")
    consumer = client.push_consumer("callback-consumer", start_from=EARLIEST)
    consumer.subscribe("TopicTest", "*", on_message)
    started = client.start()
    return started.addCallback(lambda _: consumer.done)


task.react(main)
