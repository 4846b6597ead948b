"""Errors of a broker, and the response codes of all errors."""

from __future__ import annotations

from rocketmq_tw.model.errors import IllegalName, RocketMQError
from rocketmq_tw.model.subscription import IllegalSubscription
from rocketmq_tw.remoting.errors import TooManyWaiting
from rocketmq_tw.store.errors import (
    DiskFull,
    PropertiesTooLong,
    RecordTooLong,
    StoreNotWriteable,
    TooManyQueries,
    TooManyReads,
    TopicTooLong,
)
from rocketmq_tw.wire.batch import MalformedBatch
from rocketmq_tw.wire.codes import ResponseCode


class TopicNotExist(RocketMQError):
    """The topic does not exist and must not be created by a send."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic

    def __str__(self) -> str:
        return f"topic[{self.topic}] not exist, apply first please!"


class SystemTopic(RocketMQError):
    """The topic is one of the broker's own, which nobody changes."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic

    def __str__(self) -> str:
        return f"The topic[{self.topic}] is conflict with system topic."


class TooManyTopics(RocketMQError):
    """The topic does not exist, and no more may be created."""

    def __init__(self, topic: str, limit: int) -> None:
        super().__init__(topic, limit)
        self.topic = topic
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"topic[{self.topic}] is not created; maxTopics ({self.limit}) is reached"
        )


class TooManyQueues(RocketMQError):
    """The topic would have more queues than before, and no more may be created."""

    def __init__(self, topic: str, limit: int) -> None:
        super().__init__(topic, limit)
        self.topic = topic
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"topic[{self.topic}] gets no more queues; maxQueues ({self.limit}) is"
            " reached"
        )


class GroupNotExist(RocketMQError):
    """The consumer group does not exist and is not created automatically."""

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self.group = group

    def __str__(self) -> str:
        return f"subscription group [{self.group}] does not exist"


class TooManyGroups(GroupNotExist):
    """The consumer group does not exist, and no more may be created."""

    def __init__(self, group: str, limit: int) -> None:
        super().__init__(group)
        self.limit = limit

    def __str__(self) -> str:
        return f"{super().__str__()}; maxSubscriptionGroups ({self.limit}) is reached"


class TooManyForbidden(RocketMQError):
    """No more is kept of what groups may not read."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            "it is not forbidden: what groups may not read is kept of at most"
            f" maxForbiddenTopics ({self.limit}) topics, of all groups"
        )


class TooManyOffsets(RocketMQError):
    """No more offsets are kept; those that are kept can still be changed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the offset is not kept; maxConsumerOffsets ({self.limit}) is reached"


class TooManyHeldPulls(RocketMQError):
    """
    As many pulls are held as are allowed: of one connection, or in all.

    Clients try a refused pull again after a pause, one that finds nothing at once.
    """

    def __init__(self, setting: str, limit: int, what: str = "pulls") -> None:
        super().__init__(setting, limit, what)
        self.setting = setting
        self.limit = limit
        self.what = what

    def __str__(self) -> str:
        held = f"{self.limit} {self.what} are held already"
        return f"{held}, {self.setting} allows no more"


class TooManyInFlight(RocketMQError):
    """As many pops have messages that are not acknowledged as are allowed."""

    def __init__(self, setting: str, limit: int) -> None:
        super().__init__(setting, limit)
        self.setting = setting
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"no more messages are popped: {self.limit} pops have messages that are"
            f" not acknowledged, {self.setting} allows no more"
        )


class TooManyRequestModes(RocketMQError):
    """No more modes of groups are kept; those that are kept can still be changed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the mode is not kept; maxRequestModes ({self.limit}) is reached"


class TooManyHalfMessages(RocketMQError):
    """As many half messages are stored behind one that is pending as are allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"no more messages of transactions are stored: {self.limit} are there since"
            " the oldest that is not decided, maxHalfMessages allows no more"
        )


class TooManyDecisions(RocketMQError):
    """The store takes no messages, so decisions on transactions cannot be written."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"the transaction is not ended: {self.limit} decisions are not written yet,"
            " as the store takes no messages"
        )


#: For the router: the response codes of errors. RocketMQ 4.9 responds with 1 to illegal
#: names, 5.x with 29; clients treat both alike.
CODES: dict[type[Exception], ResponseCode] = {
    IllegalName: ResponseCode.INVALID_PARAMETER,
    IllegalSubscription: ResponseCode.SUBSCRIPTION_PARSE_FAILED,
    MalformedBatch: ResponseCode.MESSAGE_ILLEGAL,
    RecordTooLong: ResponseCode.MESSAGE_ILLEGAL,
    PropertiesTooLong: ResponseCode.MESSAGE_ILLEGAL,
    TopicTooLong: ResponseCode.MESSAGE_ILLEGAL,
    StoreNotWriteable: ResponseCode.SERVICE_NOT_AVAILABLE,
    DiskFull: ResponseCode.SERVICE_NOT_AVAILABLE,
    SystemTopic: ResponseCode.INVALID_PARAMETER,
    TooManyDecisions: ResponseCode.SYSTEM_BUSY,
    TooManyHalfMessages: ResponseCode.SYSTEM_BUSY,
    TooManyHeldPulls: ResponseCode.SYSTEM_BUSY,
    TooManyInFlight: ResponseCode.SYSTEM_BUSY,
    TooManyOffsets: ResponseCode.SYSTEM_BUSY,
    TooManyQueries: ResponseCode.SYSTEM_BUSY,
    TooManyQueues: ResponseCode.SYSTEM_BUSY,
    TooManyReads: ResponseCode.SYSTEM_BUSY,
    TooManyRequestModes: ResponseCode.SYSTEM_BUSY,
    TooManyTopics: ResponseCode.SYSTEM_BUSY,
    TooManyWaiting: ResponseCode.SYSTEM_BUSY,
    TopicNotExist: ResponseCode.TOPIC_NOT_EXIST,
    GroupNotExist: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
}
