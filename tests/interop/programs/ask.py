"""
Replies to the requests of one topic, and sends requests: ``AskAndReply.java`` on our
client.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from twisted.internet import task
from twisted.internet.defer import Deferred
from twisted.internet.stdio import StandardIO
from twisted.protocols.basic import LineReceiver
from twisted.python import log

from rocketmq_tw import EARLIEST, Client, Message
from rocketmq_tw.model.message import StoredMessage

from .lines import options, say


class Commands(LineReceiver):
    """Send a request for each line: its topic and its body."""

    delimiter = b"\n"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.ended: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Send a request, and print the reply."""
        topic, _, body = line.partition(b" ")
        asked = self._client.request(Message(topic.decode(), body), timeout=30)
        asked.addCallbacks(
            lambda reply: say("reply", body=reply.body.decode()),
            lambda failure: say("reply", body=failure.getErrorMessage()),
        )

    def connectionLost(self, reason: Any = None) -> None:
        """Standard input ended: stop."""
        self.ended.callback(None)


async def main(reactor: Any) -> None:
    """Reply until told to stop."""
    given = options(namesrv=None, topic=None, group=None)
    client = Client(reactor, given.namesrv_)
    await client.start()

    async def handle(message: StoredMessage) -> None:
        result = await client.reply(message, b"ours " + message.body)
        say("replied", status=result.status.name)

    consumer = client.push_consumer(given.group_, start_from=EARLIEST)
    consumer.subscribe(given.topic_, "*", handle)
    await consumer.start()
    say("started")
    commands = Commands(client)
    # Not standard output: what StandardIO writes to no longer blocks.
    with open(os.devnull, "wb") as nowhere:
        StandardIO(commands, stdout=os.dup(nowhere.fileno()))
    await commands.ended
    await client.stop()
    say("done")


if __name__ == "__main__":
    log.startLogging(sys.stderr, setStdout=False)
    task.react(main)
