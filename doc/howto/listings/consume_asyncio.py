"""The same in a program of asyncio, on its loop."""

import asyncio
import signal

from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred

from rocketmq_tw import EARLIEST, Client


async def consume(message):
    await asyncio.sleep(0.01)
    print(message.body)


def on_message(message):
    return Deferred.fromFuture(asyncio.ensure_future(consume(message)))


async def main(reactor):
    loop = asyncio.get_running_loop()
    client = Client(reactor, "127.0.0.1:9876")
    await client.start().asFuture(loop)
    consumer = client.push_consumer("asyncio-consumer", start_from=EARLIEST)
    consumer.subscribe("TopicTest", "*", on_message)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, client.stop)
    try:
        await consumer.start().asFuture(loop)
        await consumer.done.asFuture(loop)
    finally:
        await client.stop().asFuture(loop)


loop = asyncio.new_event_loop()
asyncioreactor.install(loop)

from twisted.internet import reactor  # noqa: E402 (after it was installed)

# The loop handles the signals: Twisted would stop it before main has ended.
reactor.startRunning(installSignalHandlers=False)
loop.run_until_complete(main(reactor))
