"""A consumer as a daemon: ``twistd -y service.tac``."""

from twisted.application.service import Application
from twisted.internet import reactor
from twisted.logger import Logger

from rocketmq_tw import EARLIEST, Client

log = Logger("example")


def on_message(message):
    log.info("{body}", body=message.body)


application = Application("consumer")
client = Client(reactor, "127.0.0.1:9876")
client.setServiceParent(application)
consumer = client.push_consumer("tac-consumer", start_from=EARLIEST)
consumer.subscribe("TopicTest", "*", on_message)
