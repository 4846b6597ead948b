"""Ports for the servers of tests, whoever else runs on this machine."""

from __future__ import annotations

import random
import socket

# Below the ports that systems give to outgoing connections: one of these may be taken
# between the moment a test chooses a port and the moment its server listens.
_FIRST, _COUNT = 20_000, 12_000

_last = random.SystemRandom().randrange(_COUNT)


def free_port() -> int:
    """
    Find a port that is free together with the four around it (-2 to +2).

    A broker takes the port two below too, and Apache's the one above. Each process of
    tests begins anywhere and goes up in steps of seven, so two seldom choose the same.
    """
    global _last
    while True:
        _last = (_last + 7) % _COUNT
        port = _FIRST + _last
        if all(_is_free(port + step) for step in range(-2, 3)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
