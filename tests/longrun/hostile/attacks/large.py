"""
Attacks of large numbers, which take minutes: ``--large``.

Others are served almost as if there were none: the p99 of the probe, without what the
machine did to it, is under twice that of a server which nobody attacks.
"""

from __future__ import annotations

import random
import select
import socket

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.attacks.connections import open_connections
from tests.longrun.hostile.peers import Peer, Target, message, pull, request

_MEBIBYTE = 1 << 20
#: Malformed frames, and connections that send so many at a time.
FRAMES, CONNECTIONS, CHUNK = 1_000_000, 8, 50


def _malformed(dice: random.Random, wrong: int) -> bytearray:
    """Return a request that cannot be handled; some of its bytes are other ones."""
    code = dice.choice([each.value for each in RequestCode])
    ext = {name: "1" for name in dice.sample("abcdefghijklmn", 9)}
    ext |= {"topic": "../x", "queueId": "x", "consumerGroup": "g/", "brokerName": ""}
    data = bytearray(request(code, ext, dice.randbytes(40)))
    for _ in range(wrong):
        data[dice.randrange(8, len(data))] = dice.randrange(256)
    return data


def _chunk(dice: random.Random) -> bytes:
    """Return frames of which the last one mostly ends the connection."""
    frames = [_malformed(dice, 0) for _ in range(CHUNK - 1)]
    return b"".join([*frames, _malformed(dice, dice.choice((0, 0, 1, 3)))])


@attack("1,000,000 malformed frames", seconds=600, growth=128, is_large=True)
def million_frames(target: Target) -> str:
    """At both servers; a connection that is closed is made again."""
    dice = random.Random(10)
    chunks = [_chunk(dice) for _ in range(400)]
    ports = [target.ports[number % 2] for number in range(CONNECTIONS)]
    peers = [Peer(port) for port in ports]
    handled = closed = 0
    while handled < FRAMES and not target.is_over:
        for peer in peers:
            peer.send(dice.choice(chunks))
        for index, port in enumerate(ports):
            count = _responses(peers[index])
            handled += count
            if count < CHUNK:
                peers[index].close()
                peers[index] = Peer(port)
                handled, closed = handled + 1, closed + 1
    for peer in peers:
        peer.close()
    return f"{handled} frames were handled, {closed} of them by closing"


def _responses(peer: Peer) -> int:
    """Wait for the responses to a chunk; fewer if the connection is closed."""
    for count in range(CHUNK):
        if peer.receive() is None:
            return count
    return CHUNK


@attack("5,000 slow connections", seconds=60, growth=300, is_large=True)
def slow_connections(target: Target) -> str:
    """They send a byte of a request now and then; 2,500 at each server."""
    data = message("Slow", b"x" * 1000)
    peers = [peer for port in target.ports for peer in open_connections(port, 2500)]
    sent = 0
    for number in target.rounds(1.0, len(data)):
        for peer in peers:
            sent += peer.send(data[number : number + 1])
    for peer in peers:
        peer.reset()
    return f"{len(peers)} connections, {sent} bytes"


@attack("200 slow readers of 4 MiB", seconds=60, growth=600, is_large=True)
def slow_readers(target: Target) -> str:
    """They pull the largest messages three times, and read a little now and then."""
    sender = Peer(target.broker)
    for _ in range(4):
        sender.ask(message("Large", bytes(4 * _MEBIBYTE - 4096)))
    sender.close()
    peers = open_connections(target.broker, 200)
    for peer in peers:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.send(pull("Large") * 3)
    received = 0
    for _ in target.rounds(1.0):
        for peer in peers:
            if select.select([peer.socket], [], [], 0)[0]:
                received += len(peer.socket.recv(1024))
    for peer in peers:
        peer.reset()
    return f"{len(peers)} connections, {received} bytes read"


@attack("more connections than descriptors", seconds=60, growth=300, is_large=True)
def all_descriptors(target: Target) -> str:
    """Ever new connections from many addresses, all of which stay open."""
    peers: list[Peer] = []
    refused = 0
    for number in target.rounds(0.0, 24_000):
        try:
            host = f"127.0.{number % 50}.{2 + number // 50 % 200}"
            peers.append(Peer(target.ports[number % 2], 5.0, host))
        except OSError:
            refused += 1
    count = len(peers)
    target.wait()
    for peer in peers:
        peer.reset()
    return f"{count} connections, {refused} not made"
