"""The shop as a daemon: ``twistd -ny shop.tac``."""

from shop import Orders
from twisted.application import strports
from twisted.application.service import Application
from twisted.internet import reactor
from twisted.web.server import Site

from rocketmq_tw import Client

application = Application("shop")
client = Client(reactor, "127.0.0.1:9876")
client.setServiceParent(application)
web = Site(Orders(client.producer("shop")))
strports.service("tcp:8080:interface=127.0.0.1", web).setServiceParent(application)
