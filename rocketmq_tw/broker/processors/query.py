"""
Looks up single messages, by commit log offset or by key.

Source: ``QueryMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.named_record import record_of
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.files.reads import then
from rocketmq_tw.store.index.keys import TAG
from rocketmq_tw.store.interfaces import IMessageStore, KeyQuery, Queried
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.message import QueryMessage, QueryResponse, ViewMessage

#: What is asked for if the key is a tag.
_TAGS = "T"
_NOTHING = "can not find message, maybe time range not correct"


def install(broker: Broker, router: Router) -> None:
    """Register the handlers."""
    QueryProcessor(config=broker.config, store=broker.store).routes(router)


class QueryProcessor:
    """Handles requests for single messages."""

    def __init__(self, *, config: BrokerConfig, store: IMessageStore) -> None:
        self._config = config
        self._store = store

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(ViewMessage, self.view)
        router.on(QueryMessage, self.query)

    def view(self, request: ViewMessage, call: Call) -> Response | Deferred[Response]:
        """Return the record at a commit log offset, if it is of the topic."""
        offset, topic = request.offset, (request.topic or "").strip()
        found = record_of(self._store, offset, topic, call)
        return then(found, lambda data: Response(body=data))

    def query(self, request: QueryMessage, call: Call) -> Deferred[QueryResponse]:
        """
        Return the messages with a key, or a tag, oldest first.

        At most ``maxMsgsNumBatch``; ``defaultQueryMaxNum`` for a unique key, whatever
        the client requests. If messages may be missing, the remark gives the reason.
        """
        is_unique = bool(request.unique)
        is_tag = request.index_type == _TAGS and not is_unique
        wanted = self._config.default_query_max_num if is_unique else request.max_num
        found = self._store.query(
            KeyQuery(
                topic=request.topic,
                key=TAG + request.key if is_tag else request.key,
                max_count=min(wanted, self._config.max_msgs_num_batch),
                begin_ms=request.begin_timestamp,
                end_ms=request.end_timestamp,
                is_unique=is_unique,
            )
        )
        return found.addCallback(_queried)


def _queried(found: Queried) -> QueryResponse:
    """Return the response with the messages found."""
    response = QueryResponse(
        index_last_update_timestamp=found.last_time_ms,
        index_last_update_phyoffset=found.last_offset,
        remark=found.gap,
        body=b"".join(found.records),
    )
    if not found.records:
        response.status = ResponseCode.QUERY_NOT_FOUND
        response.remark = f"{_NOTHING}: {found.gap}" if found.gap else _NOTHING
    return response
