"""Print the groups that are behind, and the queues in which they are."""

from twisted.internet import task

from rocketmq_tw import AdminClient


async def main(reactor):
    async with AdminClient(reactor, "127.0.0.1:9876") as admin:
        await admin.groups.create("billing")
        for group in await admin.groups.list():
            lag = await admin.groups.lag(group.name)
            print(f"{group.name}: {lag.total} behind, {lag.members} connected")
            for queue in lag.queues:
                if queue.lag:
                    print(
                        f"  {queue.topic} {queue.broker}/{queue.queue_id} {queue.lag}"
                    )
            for broker, why in lag.failed.items():
                print(f"  {broker} cannot be asked: {why}")


task.react(main)
