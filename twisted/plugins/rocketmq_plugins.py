"""What ``twistd`` lists: ``rocketmq``, ``rocketmq-namesrv`` and ``rocketmq-broker``."""

from twisted.application.service import ServiceMaker

rocketmq = ServiceMaker(  # type: ignore[no-untyped-call]
    "RocketMQ, all in one",
    "rocketmq_tw.tap",
    "A RocketMQ name server and a broker in one process.",
    "rocketmq",
)

rocketmqNamesrv = ServiceMaker(  # type: ignore[no-untyped-call]
    "RocketMQ name server",
    "rocketmq_tw.namesrv.tap",
    "A RocketMQ name server: brokers register there, clients find them.",
    "rocketmq-namesrv",
)

rocketmqBroker = ServiceMaker(  # type: ignore[no-untyped-call]
    "RocketMQ broker",
    "rocketmq_tw.broker.tap",
    "A RocketMQ broker: stores messages and delivers them.",
    "rocketmq-broker",
)
