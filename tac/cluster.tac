"""
A name server and a broker in one process: ``twistd -ny tac/cluster.tac``.

``twistd rocketmq`` does the same with options.
"""

from twisted.application.service import Application

from rocketmq_tw.tap import Options, makeService

options = Options()
options.parseOptions(
    ["--listen", "10911", "--namesrv-listen", "9876", "--data", "rocketmq-data"]
)
application = Application("rocketmq")
makeService(options).setServiceParent(application)
