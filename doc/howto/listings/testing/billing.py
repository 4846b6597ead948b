"""A handler that charges orders: what is to be tested."""

import json

from rocketmq_tw.client import DEAD_LETTER


class Billing:
    """Charges customers for their orders, each order once."""

    def __init__(self, accounts):
        self.accounts = accounts
        self.charged = set()

    def handle(self, message):
        """Charge one order; raise if that can be tried again later."""
        try:
            order = json.loads(message.body)
        except ValueError:
            return DEAD_LETTER
        if order["number"] not in self.charged:
            self.accounts[order["customer"]] -= order["price"]
            self.charged.add(order["number"])
