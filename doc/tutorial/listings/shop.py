"""The shop: takes orders over HTTP and sends each as a message."""

import json

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from rocketmq_tw import Message, RocketMQError


class Orders(Resource):
    """``POST /`` with ``{"id": "1001", "amount": 19.99}`` places an order."""

    isLeaf = True
    log = Logger()

    def __init__(self, producer):
        super().__init__()
        self.producer = producer

    def render_POST(self, request):
        placed = Deferred.fromCoroutine(self.place(request.content.read()))
        # Whoever hangs up does not wait for the result any more.
        request.notifyFinish().addErrback(lambda _: placed.cancel())
        placed.addCallback(lambda reply: respond(request, *reply))
        placed.addErrback(lambda failure: failure.trap(CancelledError))
        return NOT_DONE_YET

    async def place(self, body):
        """Send an order; return the status and the text of the reply."""
        try:
            order = json.loads(body)
            message = Message("orders", body, tag="placed", keys=[order["id"]])
        except (ValueError, KeyError, TypeError):
            return 400, "this is not an order"
        try:
            result = await self.producer.send(message)
        except RocketMQError as error:
            self.log.error("order {id}: {error}", id=order["id"], error=error)
            return 503, "the order may not have been placed; place it again"
        return 201, f"order {order['id']} is message {result.message_id}"


def respond(request, status, text):
    """Write a reply."""
    request.setResponseCode(status)
    request.setHeader("content-type", "text/plain; charset=utf-8")
    request.write(f"{text}\n".encode())
    request.finish()
