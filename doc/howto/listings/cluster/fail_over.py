"""Kill a master while somebody sends and somebody reads: python fail_over.py"""

from tempfile import TemporaryDirectory

from rocketmq_tw import Message
from rocketmq_tw.broker.config import BrokerRole
from rocketmq_tw.testing import MemoryCluster

#: For all brokers: consumers may read from slaves.
SETTINGS = {"slave_read_enable": True}


def main(folder):
    """Run two masters, a slave of the first, a producer and a consumer, in memory."""
    cluster = MemoryCluster(directory=folder, brokers=0, broker_settings=SETTINGS)
    for name in ("broker-a", "broker-b"):
        role = BrokerRole.SYNC_MASTER
        cluster.add_broker(name, broker_role=role, in_sync_replicas=2)
        cluster.add_slave(name)
    with cluster:
        cluster.create_topic("orders")
        cluster.advance(15)  # The slaves copy the topics every ten seconds.
        read = set()
        cluster.consumer("billing", "orders", lambda m: read.add(m.body))
        producer = cluster.producer()
        for number in range(100):
            if number == 50:
                cluster.brokers["broker-a"].kill()
            cluster.result_of(producer.send(Message("orders", b"%d" % number)))
        cluster.wait_until(lambda: len(read) == 100)
    print(f"sent 100, read {len(read)}: the master of broker-a was killed half-way")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        main(folder)
