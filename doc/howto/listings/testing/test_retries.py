"""Tests with pytest: how often a handler is called, and what becomes of a message."""

from rocketmq_tw import Message


class Shop:
    """A handler that fails until the shop opens."""

    def __init__(self, clock):
        self.clock = clock
        self.is_open = False
        self.attempts = []

    def handle(self, message):
        """Sell something."""
        self.attempts.append(self.clock.seconds())
        if not self.is_open:
            raise RuntimeError("closed")


def test_retried(rocketmq_cluster):
    """A message that fails comes again, later each time, until it is handled."""
    shop = Shop(rocketmq_cluster.clock)
    rocketmq_cluster.create_topic("orders")
    rocketmq_cluster.consumer("shop", "orders", shop.handle)
    sent = rocketmq_cluster.producer().send(Message("orders", b"a hat"))
    rocketmq_cluster.result_of(sent)
    rocketmq_cluster.advance(45)
    shop.is_open = True
    rocketmq_cluster.advance(600)
    first = shop.attempts[0]
    assert [round(at - first) for at in shop.attempts] == [0, 10, 40, 100]
    assert rocketmq_cluster.messages("%DLQ%shop") == []


def test_dead_letter(rocketmq_cluster):
    """After the last retry it is a dead letter."""
    shop = Shop(rocketmq_cluster.clock)
    rocketmq_cluster.create_topic("orders")
    rocketmq_cluster.consumer("shop", "orders", shop.handle, max_retries=2)
    sent = rocketmq_cluster.producer().send(Message("orders", b"a hat"))
    rocketmq_cluster.result_of(sent)
    rocketmq_cluster.advance(60)
    (dead,) = rocketmq_cluster.messages("%DLQ%shop")
    assert dead.body == b"a hat"
    assert len(shop.attempts) == 3


def test_lost_connection(rocketmq_cluster):
    """A connection that breaks costs some seconds, but no message."""
    shop = Shop(rocketmq_cluster.clock)
    shop.is_open = True
    rocketmq_cluster.create_topic("orders")
    rocketmq_cluster.consumer("shop", "orders", shop.handle)
    rocketmq_cluster.faults.reset(rocketmq_cluster.clients[0], rocketmq_cluster.broker)
    sent = rocketmq_cluster.producer().send(Message("orders", b"a hat"))
    rocketmq_cluster.result_of(sent)
    rocketmq_cluster.wait_until(lambda: shop.attempts)
