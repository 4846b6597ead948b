"""
Looking at single messages.

Source: ``QueryMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Answer
from rocketmq_tw.wire.requests.message import ViewMessage


class QueryProcessor:
    """Handles looking at single messages."""

    def __init__(self, store: IMessageStore) -> None:
        self._store = store

    def routes(self, router: Router) -> None:
        """Take these requests."""
        router.on(ViewMessage, self.view)

    def view(self, request: ViewMessage, call: Command) -> Answer:
        """Give the record that begins at a commit log offset."""
        record = None
        if request.offset >= 0:
            record = self._store.record_at(request.offset)
        if record is None:
            raise Refused(
                ResponseCode.SYSTEM_ERROR,
                f"can not find message by the offset: {request.offset}",
            )
        return Answer(body=record)
