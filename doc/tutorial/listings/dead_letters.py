"""
List the dead letters of billing: ``python dead_letters.py``.

``python dead_letters.py resend`` sends each to the topic ``orders`` again as well.
"""

import sys

from twisted.internet import task

from rocketmq_tw import Client, Message
from rocketmq_tw.client import NoRouteError


async def main(reactor, command="list"):
    async with Client(reactor, "127.0.0.1:9876") as client:
        producer = client.producer("billing-repair")
        async for message in dead_letters(client, "%DLQ%billing"):
            print(message.message_id, *message.keys, message.body.decode())
            if command == "resend":
                order = Message(
                    "orders", message.body, tag=message.tag, keys=message.keys
                )
                await producer.send(order)


async def dead_letters(client, topic):
    """Read a topic from its beginning to its end, outside of any group."""
    reader = client.queue_reader("billing-repair")
    try:
        route = await client.route(topic)
    except NoRouteError:
        return  # the topic is created with the first dead letter
    for queue in route.readable(topic):
        offset = await reader.min_offset(queue)
        end = await reader.max_offset(queue)
        while offset < end:
            pulled = await reader.pull(queue, offset)
            for message in pulled.messages:
                yield message
            offset = pulled.next_offset


task.react(main, sys.argv[1:])
