"""The same in a program of asyncio, on its loop."""

import asyncio

from twisted.internet import asyncioreactor

from rocketmq_tw import Client, Message


async def main(reactor):
    loop = asyncio.get_running_loop()
    client = Client(reactor, "127.0.0.1:9876")
    await client.start().asFuture(loop)
    try:
        producer = client.producer("asyncio-producer")
        sends = [producer.send(Message("TopicTest", b"%d" % n)) for n in range(10)]
        results = await asyncio.gather(*(send.asFuture(loop) for send in sends))
        print("stored:", len(results))
    finally:
        await client.stop().asFuture(loop)


loop = asyncio.new_event_loop()
asyncioreactor.install(loop)

from twisted.internet import reactor  # noqa: E402 (after it was installed)

reactor.startRunning()
loop.run_until_complete(main(reactor))
