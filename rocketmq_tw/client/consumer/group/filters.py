"""
Asks brokers whether they can use the expressions of our subscriptions.

Apache's brokers can only with ``enablePropertyFilter``, which is off by default;
without it they refuse every pull. So a consumer does not start there.

Source: ``MQClientInstance.checkClientInBroker`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.logger import Logger

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.subscription import Subscription
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody
from rocketmq_tw.wire.requests.heartbeat import CheckClientConfig

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession


_log = Logger()


async def check_expressions(
    session: ClientSession, group: str, subscriptions: Iterable[Subscription]
) -> None:
    """
    Ask a broker of each topic; tags need no check.

    A topic without a broker that responds is not checked: it is read once there is one.

    :raises BrokerError: a broker refuses an expression, and says what is wrong.
    """
    for subscription in subscriptions:
        if subscription.is_tag:
            continue
        body = CheckClientRequestBody(
            client_id=session.client_id, group=group, subscription_data=subscription
        )
        request = CheckClientConfig(body=body.encode())
        queue = await _any_queue(session, subscription.topic)
        if queue is None:
            continue
        try:
            await session.brokers.call_for(queue, request)
        except BrokerError:
            raise
        except RocketMQError as error:
            _log.warn("{topic}: {error}", topic=subscription.topic, error=error)


async def _any_queue(session: ClientSession, topic: str) -> MessageQueue | None:
    """Return a queue of a topic, whose broker is asked; None without a route."""
    try:
        await session.routes.find(topic)
    except RocketMQError:
        return None
    queues = session.routes.readable(topic)
    return queues[0] if queues else None
