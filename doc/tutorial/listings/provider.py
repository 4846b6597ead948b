"""A pretended payment provider, for the tutorial."""

from billing import Declined, Unreachable
from twisted.internet import task


class Provider:
    """Unreachable at the first attempt for 500 or more; declines 10,000 or more."""

    def __init__(self, reactor):
        self.reactor = reactor
        self.tried = set()

    async def charge(self, order_id, amount):
        """Charge after a while, as a real provider would."""
        await task.deferLater(self.reactor, 0.05)
        if amount >= 10_000:
            raise Declined(order_id)
        if amount >= 500 and order_id not in self.tried:
            self.tried.add(order_id)
            raise Unreachable(order_id)
