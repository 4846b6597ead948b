"""Billing: charges every order that was placed, once."""

import json

from twisted.logger import Logger

from rocketmq_tw import DEAD_LETTER, Retry


class Unreachable(Exception):
    """The payment provider cannot be reached now."""


class Declined(Exception):
    """The payment provider will not make this payment, now or later."""


class Billing:
    """
    Handles the messages of the topic ``orders``.

    :param charge: called with an order's id and amount; may raise the errors above.
    """

    log = Logger()

    def __init__(self, charge):
        self.charge = charge
        # A real service keeps these in its database.
        self.charged = set()

    async def handle(self, message):
        """Charge one order."""
        try:
            order = json.loads(message.body)
            order_id, amount = order["id"], float(order["amount"])
        except (ValueError, KeyError, TypeError):
            self.log.error("{body} is not an order", body=message.body)
            return DEAD_LETTER
        if order_id in self.charged:
            self.log.info("order {id} has been charged before", id=order_id)
            return None
        try:
            await self.charge(order_id, amount)
        except Declined:
            self.log.error("order {id} was declined", id=order_id)
            return DEAD_LETTER
        except Unreachable:
            again = message.reconsume_times + 1
            self.log.warn("order {id}: retry number {n}", id=order_id, n=again)
            return Retry(level=1)
        self.charged.add(order_id)
        self.log.info("order {id} is charged: {amount}", id=order_id, amount=amount)
        return None
