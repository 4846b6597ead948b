"""
Says to a client, before it consumes, whether a subscription can be used.

Source: ``ClientManageProcessor.checkClientConfig`` of RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.broker.pull.filters import Filters
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.bodies.heartbeat import CheckClientRequestBody
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.requests.heartbeat import CheckClientConfig


def install(broker: Broker, router: Router) -> None:
    """Register the handler."""
    router.on(CheckClientConfig, ClientConfigProcessor(broker.filters).check)


class ClientConfigProcessor:
    """Checks subscriptions; expressions of tags are right, whatever they are."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters

    def check(self, request: CheckClientConfig, call: Call) -> Response:
        """
        Check a subscription.

        :raises IllegalSubscription: its expression is wrong.
        :raises Refused: the broker has no such filters, or the text is too long.
        """
        body = CheckClientRequestBody.decode_request(request.body)
        subscription = body.subscription_data
        if subscription is not None and not subscription.is_tag:
            self._filters.sql(subscription.sub_string, subscription.expression_type)
        return Response()
