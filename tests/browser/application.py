"""
An application beside the console: one of its consumers fails until it is repaired.

It reads words from standard input: ``repair`` lets the consumer that fails consume,
``send TOPIC TEXT`` sends one more. Each message that is consumed is a line of output.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver

from rocketmq_tw import Client, Message
from rocketmq_tw.client import EARLIEST

#: A body that would do harm where text is taken for HTML.
HOSTILE = (
    '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202e'
)


class Words(LineReceiver):
    """Standard input."""

    delimiter = b"\n"

    def __init__(self, application: Application) -> None:
        self._application = application

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Do what a word says."""
        word, *rest = line.decode().split(" ", 2)
        if word == "repair":
            self._application.is_repaired = True
            print("repaired", flush=True)
        else:
            topic, text = rest
            self._application.send(topic, text.encode())


class Application:
    """A producer and two consumers."""

    is_repaired = False

    def __init__(self, client: Client) -> None:
        self.client = client
        self.producer = client.producer("shop")

    def send(self, topic: str, body: bytes, **fields: Any) -> Deferred[Any]:
        """Send a message."""
        return self.producer.send(Message(topic, body, **fields))

    def bill(self, message: Any) -> None:
        """Consume, or fail."""
        if not self.is_repaired:
            raise ValueError("it cannot be billed")
        print("billed", message.body.decode(), flush=True)

    async def run(self) -> None:
        """Send some, and consume until the program is ended."""
        for number in range(40):
            body = b'{"order": 1234567890123456789%d, "paid": true}' % number
            await self.send("orders", body, tag="AB"[number % 2], keys=(f"k{number}",))
        await self.send("orders", HOSTILE.encode(), keys=("hostile",))
        await self.send("orders", bytes(range(256)) * 4, keys=("binary",))
        await self.send("orders", b"x" * (3 << 20), keys=("large",))
        for number in range(3):
            await self.send("invoices", b"invoice-%d" % number)
        shipping = self.client.push_consumer("shipping", start_from=EARLIEST)
        shipping.subscribe("orders", handler=lambda _: None)
        await shipping.start()
        billing = self.client.push_consumer(
            "billing", start_from=EARLIEST, max_retries=0
        )
        billing.subscribe("invoices", handler=self.bill)
        await billing.start()
        StandardIO(Words(self))
        print("ready", flush=True)
        await Deferred()


async def main(reactor: Any, address: str) -> None:
    """Connect, and run."""
    async with Client(reactor, address) as client:
        await Application(client).run()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
