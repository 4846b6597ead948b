"""A name server of either make with brokers of both."""

from __future__ import annotations

import pytest

from .corpus import check_contents, check_once
from .lab import Lab
from .pairs import some
from .program import wait_for_messages

COUNT = 2_000


@pytest.mark.parametrize(
    ("names_make", "broker_make"),
    some([("v55", "v49"), ("ours", "v55"), ("v49", "v55")], 2),
)
def test_mixed_servers(lab: Lab, names_make: str, broker_make: str) -> None:
    """Our broker and Apache's register with one name server; clients use both."""
    names = lab.name_server(names_make)
    brokers = [lab.broker(make, names) for make in (broker_make, "ours")]
    # A topic is made on the brokers that are registered by then.
    lab.wait_for_brokers(names, *brokers)
    topic = "MixedServers"
    lab.make_topic(names, topic, queues=4)
    for make in ("v55", "ours"):
        seed = f"from-{make}"
        lab.sender(make, names, topic=topic, seed=seed, plan=f"async:{COUNT}").finish()
    for make in ("v55", "ours"):
        consumer = lab.consumer(make, names, topic=topic, group=f"G_{make}")
        lines = wait_for_messages([consumer], 2 * COUNT, 60)
        consumer.stop()
        seen = {line["broker"] for line in lines}
        assert seen == {f"broker-{broker_make}", "broker-ours"}
        for sender in ("v55", "ours"):
            seed = f"from-{sender}"
            own = [line for line in lines if line["properties"]["seed"] == seed]
            check_once(range(COUNT), own)
            check_contents(seed, own)
