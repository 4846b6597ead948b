"""
A name server: ``twistd -ny tac/namesrv.tac``.

``twistd rocketmq-namesrv`` does the same with options. Start from here to put a name
server into a program of your own.
"""

from twisted.application.service import Application
from twisted.internet import reactor

from rocketmq_tw.clock import use_monotonic_time
from rocketmq_tw.garbage import keep_collections_short
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.service import NamesrvService
from rocketmq_tw.remoting.listener import Program

use_monotonic_time(reactor)
keep_collections_short(reactor)
application = Application("rocketmq-namesrv")
namesrv = NamesrvService(NamesrvConfig(listen_port=9876), reactor)
Program(reactor, namesrv).setServiceParent(application)
