"""Send a message by TLS, to servers whose certificate the authority has signed."""

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rocketmq_tw import Client, Message, Tls


async def main(reactor):
    tls = Tls(ca_file="ca.pem")
    async with Client(reactor, "127.0.0.1:9876", tls=tls) as client:
        producer = client.producer("hello")
        result = await producer.send(Message("Hello", b"encrypted"))
        print(result.status.name)


react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
