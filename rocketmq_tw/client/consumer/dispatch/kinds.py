"""The kinds of dispatch, and the methods that both have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from rocketmq_tw.client.consumer.config import ConsumerConfig
from rocketmq_tw.client.consumer.dispatch.concurrent import ConcurrentDispatcher
from rocketmq_tw.client.consumer.dispatch.orderly import OrderlyDispatcher
from rocketmq_tw.client.consumer.dispatch.outcomes import MessageHandler
from rocketmq_tw.client.consumer.dispatch.send_back import Returns
from rocketmq_tw.client.consumer.process_queue import ProcessQueue
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.model.queue import MessageQueue


class Dispatcher(Protocol):
    """Passes messages to handlers, and processes the outcomes."""

    def dispatch(self, queue: ProcessQueue, messages: list[StoredMessage]) -> None:
        """Call handlers for messages, which are in the queue already."""

    def discard(self, queue: ProcessQueue) -> None:
        """Dispatch no more messages of one queue."""

    def stop(self) -> None:
        """Dispatch no more messages; handlers that are running may finish."""

    def cancel_running(self) -> list[StoredMessage]:
        """Cancel all running handlers; return their messages."""


def make_dispatcher(
    *,
    clock: IReactorTime,
    config: ConsumerConfig,
    handler_of: Callable[[str], MessageHandler],
    consumed: Callable[[MessageQueue, int], None],
    returns: Returns,
    is_held: Callable[[MessageQueue], bool],
) -> Dispatcher:
    """
    Return the dispatcher of a consumer.

    :param returns: sends back failed messages.
    :param is_held: whether a queue is locked by this consumer.
    """
    if config.ordered:
        return OrderlyDispatcher(
            clock=clock,
            handler_of=handler_of,
            consumed=consumed,
            bury=returns.bury,
            is_held=is_held,
            concurrency=config.concurrency,
            batch=config.batch,
            handler_timeout=config.handler_timeout,
            max_retries=config.retries,
            suspend=config.suspend,
        )
    return ConcurrentDispatcher(
        clock=clock,
        handler_of=handler_of,
        consumed=consumed,
        send_back=returns.send_back,
        concurrency=config.concurrency,
        batch=config.batch,
        handler_timeout=config.handler_timeout,
    )
