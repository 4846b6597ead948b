"""Send messages that are delivered only if a local transaction is committed."""

from twisted.internet import task

from rocketmq_tw import COMMIT, ROLLBACK, UNKNOWN, Client, Message

ORDERS = {}  # for a database


def check(message):
    # A broker asks if it got no verdict, maybe after a restart.
    return COMMIT if message.unique_key in ORDERS else UNKNOWN


async def main(reactor):
    async with Client(reactor, "127.0.0.1:9876") as client:
        producer = client.transaction_producer("orders", check, topics=["TopicTest"])

        async def place(message, transaction):
            # The half message is stored; nobody gets it before this has returned.
            if b"bad" in message.body:
                return ROLLBACK
            ORDERS[transaction.id] = message.body
            return COMMIT

        for body in (b"a good order", b"a bad order"):
            result = await producer.send_in_transaction(
                Message("TopicTest", body), place
            )
            print(body, result.verdict.name)

        # The end of the block commits, an exception rolls back.
        async with await producer.begin(Message("TopicTest", b"order 3")) as order:
            ORDERS[order.id] = order.message.body
        print("orders:", len(ORDERS))


task.react(main)
