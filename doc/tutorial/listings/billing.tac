"""Billing as a daemon: ``twistd -ny billing.tac``."""

from billing import Billing
from provider import Provider
from twisted.application.service import Application
from twisted.internet import reactor

from rocketmq_tw import EARLIEST, Client, Tags

application = Application("billing")
client = Client(reactor, "127.0.0.1:9876")
client.setServiceParent(application)
billing = Billing(Provider(reactor).charge)
consumer = client.push_consumer("billing", start_from=EARLIEST, max_retries=3)
consumer.subscribe("orders", Tags("placed"), billing.handle)
