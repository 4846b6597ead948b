"""Registrations that inflate, take over and never end; keys and values; permissions."""

from __future__ import annotations

import struct
import zlib

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target, request

_LONG = (1 << 63) - 1
#: Another address of this machine: no broker is there.
OTHER_HOST = "127.0.0.2"
_VERSION = b'{"counter":1,"stateVersion":%d,"timestamp":1}'


def _piece(data: bytes) -> bytes:
    """Encode a text after its length."""
    return struct.pack(">i", len(data)) + data


def _registration(
    body: bytes, name: str = "fake", port: int = 1, **changed: object
) -> bytes:
    """Encode the registration of a broker."""
    ext = {"brokerName": name, "brokerAddr": f"127.0.0.1:{port}", "brokerId": "0"}
    ext |= {"clusterName": "DefaultCluster", "haServerAddr": "", "compressed": "true"}
    code = RequestCode.REGISTER_BROKER
    return request(code, ext | {k: str(v) for k, v in changed.items()}, body)


def _compressed(topics: list[bytes], version: int = 0) -> bytes:
    """Encode topics as the compressed body of a registration."""
    parts = [_piece(_VERSION % version), struct.pack(">i", len(topics))]
    parts += [_piece(topic) for topic in topics]
    parts += [_piece(b"[]"), struct.pack(">i", 0)]
    return zlib.compress(b"".join(parts), 1)


@attack("7 registrations that inflate", is_short=True, growth=128)
def bombs(target: Target) -> None:
    """A plain bomb, one that claims 60 million topics, and one of mappings."""
    start = _piece(_VERSION % 1)
    texts = [bytes(560 << 20)]
    texts += [start + struct.pack(">i", 60_000_000) + _piece(b"") * 15_000_000]
    texts += [start + struct.pack(">i", 0) + _piece(b"[]") + struct.pack(">i", 1 << 24)]
    texts += [start + struct.pack(">i", 1) + _piece(b"x" * (30 << 20))]
    bodies = [zlib.compress(text, 9) for text in texts]
    del texts
    for number in target.rounds(0.2):
        for body in bodies:
            target.ask(target.names, _registration(body, f"bomb{number}"))


@attack("7 registrations of 50,000 topics", seconds=6, growth=256)
def large_registrations(target: Target) -> None:
    """Legal ones with ever new versions, which all have to be read."""
    topics = [b"Registered%05d 8 8 6 SINGLE_TAG {}" % n for n in range(50_000)]
    peer = Peer(target.names)
    for number in target.rounds(0.5):
        peer.ask(_registration(_compressed(topics, number), "large", 2))
    peer.close()


@attack("registrations of 3,000 brokers", seconds=6, growth=128)
def many_brokers(target: Target) -> None:
    """Names, clusters and addresses that nobody has, from one connection."""
    body = _compressed(
        [b"Bystander 4 4 6 SINGLE_TAG {}", b"Another 4 4 6 SINGLE_TAG {}"]
    )
    peer = Peer(target.names)
    peer.ask_all(
        _registration(body, f"made-up-{n}", 10_000 + n, clusterName=f"cluster-{n}")
        for n in target.rounds(0.0005, 3000)
    )
    peer.close()


@attack("17 registrations that claim the broker's name", is_short=True)
def takeover(target: Target) -> None:
    """From another host: its name and address, with the highest version there is."""
    bodies = [_compressed([b"Bystander 1 1 6 SINGLE_TAG {}"], _LONG)]
    bodies += [_compressed([b"Bystander 0 0 0 SINGLE_TAG {}"], _LONG)]
    peer = Peer(target.names, host=OTHER_HOST)
    route = peer.ask(request(105, {"topic": "Bystander"}))
    assert route is not None
    name = route.body.partition(b'"brokerName":"')[2].partition(b'"')[0].decode()
    own = f"127.0.0.1:{target.broker}"
    ext = {"brokerName": name, "clusterName": "DefaultCluster", "brokerId": "0"}
    for number in target.rounds(0.02):
        for body in bodies:
            peer.ask(_registration(body, name, 1 + number % 9))
            peer.ask(_registration(body, name, brokerAddr=f"localhost:{target.broker}"))
            peer.ask(_registration(body, f"other-{number % 9}", brokerAddr=own))
            peer.ask(_registration(body, name, 1, brokerId=_LONG - number))
        for address in (f"127.0.0.1:{1 + number % 9}", f"localhost:{target.broker}"):
            peer.ask(request(104, ext | {"brokerAddr": address}))


@attack("14 heartbeat time-outs", is_short=True)
def heartbeat_timeouts(target: Target) -> None:
    """Times that no clock holds, and permissions wiped and added all the time."""
    body = _compressed([b"Timeout 4 4 6 SINGLE_TAG {}", b"Other 4 4 6 SINGLE_TAG {}"])
    times = [_LONG, 10**30, -1, "1e999", "9" * 5000, 0, 1]
    peer = Peer(target.names)
    for number in target.rounds(0.01):
        for time in times:
            name = f"timeout-{number % 7}"
            peer.ask(_registration(body, name, 9, heartbeatTimeoutMillis=time))
        for code in (205, 327):
            peer.ask(request(code, {"brokerName": f"timeout-{number % 7}"}))
    peer.close()


@attack("14 flood of wiped permissions")
def flood_of_wipes(target: Target) -> None:
    """Of a broker that does not exist: the real one's would stop its producers."""
    chunk = b"".join(request(205, {"brokerName": f"none{n}"}) for n in range(300))
    target.flood(chunk, target.names)


@attack("5 keys and values", seconds=6, growth=128, is_short=True)
def keys_and_values(target: Target) -> None:
    """Values of 4 MiB, many keys and namespaces, at once."""
    peer = Peer(target.names)
    large = {"namespace": "ORDER_TOPIC_CONFIG", "key": "k", "value": "v" * (4 << 20)}
    for number in target.rounds(0.02):
        if number % 20 == 0:
            target.ask(target.names, request(RequestCode.PUT_KV_CONFIG, large))
        puts = [
            request(
                100, {"namespace": f"n{number}", "key": f"k{n}", "value": "v" * 900}
            )
            for n in range(50)
        ]
        puts.append(request(100, large | {"key": f"k{number}", "value": "v" * 65_000}))
        peer.ask_all(puts)
        peer.ask(request(219, {"namespace": "ORDER_TOPIC_CONFIG"}))
    peer.close()


@attack("flood of lookups")
def flood_of_lookups(target: Target) -> None:
    """Tables of all topics and brokers, and routes of topics that do not exist."""
    codes = (106, 206, 304, 311, 312, 313, 319)
    chunk = b"".join(request(code) for code in codes) * 3
    chunk += request(105, {"topic": "none"}) * 30
    chunk += request(224, {"cluster": "DefaultCluster"}) * 3
    target.flood(chunk, target.names)


@attack("topics registered by anybody", seconds=5, growth=128)
def registered_topics(target: Target) -> None:
    """Request 217 with made-up topics of a broker that exists."""
    peer = Peer(target.names)
    queues = b'{"brokerName":"fake","perm":6,"readQueueNums":4,"writeQueueNums":4}'
    body = b'{"queueDatas":[%b],"brokerDatas":[]}' % queues
    peer.ask_all(
        request(217, {"topic": f"anybody-{n}-" + "x" * 100}, body)
        for n in target.rounds(0.0005, 5000)
    )
    peer.close()
