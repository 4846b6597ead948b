"""The same with plain callbacks."""

from twisted.internet import task

from rocketmq_tw import Client, Message


def stored(result):
    print("stored:", result.message_id)


def not_stored(failure):
    print("not stored:", failure.getErrorMessage())


def main(reactor):
    client = Client(reactor, "127.0.0.1:9876")
    producer = client.producer("callback-producer")
    done = client.start()
    done.addCallback(lambda _: producer.send(Message("TopicTest", b"paid")))
    done.addCallbacks(stored, not_stored)
    return done.addBoth(lambda _: client.stop())


task.react(main)
