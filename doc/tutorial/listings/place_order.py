"""Place one order from the command line: ``python place_order.py 1001 19.99``."""

import json
import sys

from twisted.internet import task

from rocketmq_tw import Client, Message


async def main(reactor, order_id, amount):
    order = {"id": order_id, "amount": float(amount)}
    message = Message(
        "orders", json.dumps(order).encode(), tag="placed", keys=[order_id]
    )
    async with Client(reactor, "127.0.0.1:9876") as client:
        result = await client.producer("shop").send(message)
        print("order", order_id, "is message", result.message_id)


task.react(main, sys.argv[1:])
