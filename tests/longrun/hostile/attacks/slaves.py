"""Peers of the HA port that are no slaves, or bad ones."""

from __future__ import annotations

import random

from tests.longrun.hostile.attack import attack
from tests.longrun.hostile.peers import Peer, Target

_DICE = random.Random(7)


def _ha_port(target: Target) -> int:
    """Return the port that slaves connect to."""
    return target.broker + 1


def _report(offset: int) -> bytes:
    """Encode a report."""
    return offset.to_bytes(8, "big", signed=True)


@attack("garbage on the HA port", is_short=True)
def garbage(target: Target) -> None:
    """Requests, random bytes, offsets that cannot be, and connections cut short."""
    bad = (
        b"GET / HTTP/1.1\r\n\r\n",
        _DICE.randbytes(4096),
        _report(-1),
        _report(1 << 62),
        _report(12345),
        b"\0" * 5,
        _report(0) * 1000 + _report(1 << 40),
    )
    for number in target.rounds(0.002):
        peer = Peer(_ha_port(target))
        peer.send(bad[number % len(bad)])
        if number % 2:
            peer.reset()
        else:
            peer.close()


@attack("slaves that read nothing", seconds=6)
def unread(target: Target) -> None:
    """As many as are let in, and more: all want the log, none takes it."""
    peers = []
    for _ in range(100):
        try:
            peer = Peer(_ha_port(target))
            peer.send(_report(0))
            peers.append(peer)
        except OSError:
            continue
    target.wait()
    for peer in peers:
        peer.reset()


@attack("slaves that say nothing", seconds=5)
def silent(target: Target) -> None:
    """They take the places of slaves until the housekeeping interval ends."""
    peers = []
    for _ in range(200):
        try:
            peers.append(Peer(_ha_port(target)))
        except OSError:
            continue
    target.wait()
    for peer in peers:
        peer.close()
