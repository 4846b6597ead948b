"""Read every queue of a topic from its beginning, outside of any group."""

from twisted.internet import task

from rocketmq_tw import Client


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        reader = client.queue_reader("reader")
        route = await client.route("TopicTest")
        for queue in route.readable("TopicTest"):
            offset = await reader.min_offset(queue)
            end = await reader.max_offset(queue)
            while offset < end:
                pulled = await reader.pull(queue, offset)
                for message in pulled.messages:
                    print(queue.queue_id, message.queue_offset, message.body)
                offset = pulled.next_offset


task.react(main)
