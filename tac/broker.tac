"""
A broker: ``twistd -ny tac/broker.tac``.

``twistd rocketmq-broker`` does the same with options. Start from here to put a broker
into a program of your own.
"""

from twisted.application.service import Application

from rocketmq_tw.broker.tap import Options, makeService

options = Options()
options.parseOptions(
    ["--listen", "10911", "--namesrv", "127.0.0.1:9876", "--data", "rocketmq-data"]
)
application = Application("rocketmq-broker")
makeService(options).setServiceParent(application)
