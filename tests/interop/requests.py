"""Single requests to a server, without a client."""

from __future__ import annotations

import socket
from typing import Any

from rocketmq_tw.wire.command import JSON, Command, decode, encode_request
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.frame import FrameDecoder


def asked(port: int, request: Request[Any]) -> Command:
    """
    Ask a server; return its response.

    :raises OSError: it accepts no connection, closes it, or does not respond in 10 s.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(encode_request(request, 1, kind=JSON))
        decoder = FrameDecoder()
        found: list[Command] = []
        while not found:
            data = connection.recv(1 << 16)
            if not data:
                raise ConnectionError(f"port {port} closed the connection")
            found = [decode(*frame) for frame in decoder.feed(data)]
    return found[0]
