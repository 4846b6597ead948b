"""Connections that come, stay, stall and go in ways that no client's do."""

from __future__ import annotations

import socket
import time

from rocketmq_tw.wire.codes import RequestCode
from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import (
    Peer,
    Target,
    frame,
    header,
    message,
    pull,
    request,
)

_ROUTE = request(RequestCode.GET_ROUTEINFO_BY_TOPIC, {"topic": "Bystander"})
_TOPICS = request(RequestCode.GET_ALL_TOPIC_CONFIG)
_MEBIBYTE = 1 << 20


def open_connections(port: int, count: int) -> list[Peer]:
    """Open connections; fewer if the server takes no more."""
    peers = []
    for _ in range(count):
        try:
            peers.append(Peer(port))
        except OSError:
            break
    return peers


@attack("13 idle connections", seconds=5)
def idle_connections(target: Target) -> None:
    """More connections than descriptors by default; they send nothing."""
    peers = open_connections(target.broker, 1100) + open_connections(target.names, 1100)
    target.wait()
    for peer in peers:
        peer.close()


@attack("13 more connections than are let in", seconds=8)
def too_many_connections(target: Target) -> None:
    """Half of all descriptors, from one address."""
    peers = open_connections(target.broker, 9000)
    for peer in peers[::2]:
        peer.send(_ROUTE)
    target.wait()
    for peer in peers:
        peer.reset()


@attack("flood of connects", is_short=True)
def flood_of_connects(target: Target) -> None:
    """Connections that are reset at once, and such that send a request first."""
    for number in target.rounds(0.002):
        for port in target.ports:
            peer = Peer(port)
            if number % 2:
                peer.send(_ROUTE)
            peer.reset()


@attack("heads byte by byte", seconds=6)
def slow_heads(target: Target) -> None:
    """500 requests that come a byte at a time."""
    data = message("Slow", b"x" * 100)
    peers = open_connections(target.broker, 250) + open_connections(target.names, 250)
    for number in target.rounds(0.02, len(data)):
        for peer in peers:
            peer.send(data[number : number + 1])
    for peer in peers:
        peer.reset()


@attack("half frames, then a reset", is_short=True)
def half_frames(target: Target) -> None:
    """Frames that are cut anywhere, and connections that end in the middle."""
    data = message("Half", b"x" * 100_000)
    for number in target.rounds(0.005):
        for port in target.ports:
            peer = Peer(port)
            peer.send(data[: 1 + number * 977 % len(data)])
            peer.reset()


@attack("11 unfinished frames", seconds=10, growth=600)
def unfinished_frames(target: Target) -> None:
    """100 sends of 16 MiB, of which the last byte never comes."""
    body = bytes((16 << 20) - 4096)
    data = message("Unfinished", body)[:-1]
    peers = open_connections(target.broker, 100)
    for peer in peers:
        peer.send(data)
    target.wait()
    for peer in peers:
        peer.reset()


@attack("11 unfinished frames that need no body", seconds=6)
def unfinished_small_frames(target: Target) -> None:
    """The same for requests that are refused once their header is there."""
    body = bytes((16 << 20) - 4096)
    data = request(RequestCode.GET_MAX_OFFSET, {"topic": "T", "queueId": "0"}, body)
    for port in target.ports:
        for peer in open_connections(port, 60):
            peer.send(data[:-1])
    target.wait()


@attack("11 unfinished headers", seconds=10, growth=600)
def unfinished_headers(target: Target) -> None:
    """The same 16 MiB as a header: its code is not known yet."""
    text = header(RequestCode.GET_MAX_OFFSET, {"topic": "x" * ((16 << 20) - 4096)})
    for port in target.ports:
        for peer in open_connections(port, 50):
            peer.send(frame(text)[:-1])
    target.wait()


@attack("11 slow readers of large messages", seconds=10, growth=600)
def slow_readers(target: Target) -> None:
    """200 connections pull messages of 4 MiB and read nothing."""
    sender = Peer(target.broker)
    for _ in range(4):
        sender.ask(message("Large", bytes(4 * _MEBIBYTE - 4096)))
    peers = open_connections(target.broker, 200)
    for peer in peers:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.send(pull("Large"))
    target.wait()
    for peer in peers:
        peer.reset()


@attack("pipelines that read nothing", seconds=8, growth=600)
def pipelined_slow_readers(target: Target) -> None:
    """50 connections ask 5,000 times for the table of topics and read nothing."""
    peers = open_connections(target.broker, 50) + open_connections(target.names, 50)
    for peer in peers:
        peer.socket.setblocking(False)
    for _ in target.rounds(0.1):
        for peer in peers:
            peer.send(_TOPICS * 100)
    for peer in peers:
        peer.reset()


@attack("half-closed connections", seconds=5)
def half_closed(target: Target) -> None:
    """Connections that send requests and say that nothing more comes."""
    held = pull("Bystander", 20_000, queueOffset=str(1 << 40))
    for _ in target.rounds(0.01):
        for port, data in ((target.broker, held), (target.names, _ROUTE)):
            peer = Peer(port)
            peer.send(data * 5)
            peer.half_close()
            time.sleep(0.001)
            peer.close()


@attack("resets while responses are sent", is_short=True)
def resets_in_responses(target: Target) -> None:
    """Connections that are reset while large responses leave."""
    for _ in target.rounds(0.01):
        for port in target.ports:
            peer = Peer(port)
            peer.send(_TOPICS * 50 + pull("Large") * 5)
            peer.socket.recv(1000)
            peer.reset()
