"""Raw connections, and frames that no client of ours would make."""

from __future__ import annotations

import json
import os
import select
import socket
import ssl
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Any

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.command import Command, decode
from rocketmq_tw.wire.frame import FrameDecoder

_HEAD = struct.Struct(">II")
#: Sets SO_LINGER to 0: closing sends a reset.
_RESET = struct.pack("ii", 1, 0)


def frame(header: bytes, body: bytes = b"", kind: int = 0) -> bytes:
    """Encode a frame around any header."""
    size = len(header)
    return _HEAD.pack(4 + size + len(body), kind << 24 | size) + header + body


def header(code: object, ext: object = None, /, **others: object) -> bytes:
    """Encode a header as JSON, with any values; ``others`` replaces any of them."""
    fields = {"code": code, "extFields": ext or {}, "flag": 0, "language": "JAVA"}
    fields |= {"opaque": 1, "serializeTypeCurrentRPC": "JSON", "version": 401}
    return json.dumps(fields | others, separators=(",", ":")).encode()


def request(
    code: int, ext: object = None, body: bytes = b"", /, **others: object
) -> bytes:
    """Encode a request with any fields."""
    return frame(header(code, ext, **others), body)


def message(topic: str, body: bytes = b"x", **changed: object) -> bytes:
    """Encode a send to queue 0; ``changed`` are other values of one-letter fields."""
    ext = {"a": "hostile", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0"}
    ext |= {"g": "1", "h": "0", "i": "", "j": "0", "k": "false", "m": "false"}
    return request(RequestCode.SEND_MESSAGE_V2, ext | changed, body)


def pull(topic: str, suspend_ms: int = 0, **changed: object) -> bytes:
    """Encode a pull of queue 0, held for some time if there is nothing."""
    ext = {"consumerGroup": "hostile", "topic": topic, "queueId": "0"}
    ext |= {"queueOffset": "0", "maxMsgNums": "32", "commitOffset": "0"}
    ext |= {"sysFlag": "6" if suspend_ms else "4", "subscription": "*"}
    ext |= {"suspendTimeoutMillis": str(suspend_ms), "subVersion": "0"}
    return request(RequestCode.PULL_MESSAGE, ext | changed)


#: Set in attackers that use TLS.
USE_TLS = "HOSTILE_TLS"


def _secured(plain: socket.socket) -> ssl.SSLSocket:
    """Make the handshake of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain)


class Peer:
    """
    A connection of an attacker, with TLS if that is asked for.

    :param host: an address of this machine that it comes from.
    """

    def __init__(
        self, port: int, timeout: float = 20.0, host: str = "127.0.0.1"
    ) -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=timeout, source_address=(host, 0)
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if os.environ.get(USE_TLS):
            self.socket = _secured(self.socket)
        self._decoder = FrameDecoder()
        self._ready: list[Command] = []

    def send(self, data: bytes) -> bool:
        """Send bytes; return whether the server took them."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def receive(self) -> Command | None:
        """Wait for a response; None if the server closed the connection."""
        while not self._ready:
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError:
                return None
            if not data:
                return None
            self._ready = [decode(*found) for found in self._decoder.feed(data)]
        return self._ready.pop(0)

    def ask(self, data: bytes) -> Command | None:
        """Send bytes and wait for one response."""
        return self.receive() if self.send(data) else None

    def ask_all(self, frames: Iterable[bytes], depth: int = 64) -> int:
        """Send requests, so many in flight; return how many were successful."""
        waiting = found = 0
        for data in frames:
            if not self.send(data):
                return found
            waiting += 1
            if waiting >= depth:
                found, waiting = found + self._is_success(), waiting - 1
        return found + sum(self._is_success() for _ in range(waiting))

    def _is_success(self) -> bool:
        """Wait for a response and return whether it is a success."""
        response = self.receive()
        return response is not None and response.code == 0

    def half_close(self) -> None:
        """Send nothing more, but stay."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close it in good order."""
        self.socket.close()

    def reset(self) -> None:
        """Close it with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.socket.close()


class Target:
    """
    The servers under attack, as an attacker sees them.

    :param broker: the broker's port.
    :param names: the name server's port.
    :param seconds: how long the attack lasts.
    """

    def __init__(self, broker: int, names: int, seconds: float) -> None:
        self.broker = broker
        self.names = names
        self.ports = (broker, names)
        self.until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether the time of the attack has passed."""
        return time.monotonic() >= self.until

    def rounds(self, pause: float = 0.05, limit: int = 1 << 30) -> Iterator[int]:
        """Count until the time is over, with pauses: attackers are cheap."""
        for number in range(limit):
            if self.is_over:
                return
            yield number
            time.sleep(pause)

    def wait(self) -> None:
        """Do nothing until the time is over."""
        time.sleep(max(0.0, self.until - time.monotonic()))

    def ask(self, port: int, data: bytes) -> Command | None:
        """Ask once, over a connection of its own."""
        peer = Peer(port)
        try:
            return peer.ask(data)
        finally:
            peer.close()

    def repeat(self, data: bytes, *ports: int, pause: float = 0.05) -> None:
        """
        Send the same bytes again and again, each time over a new connection.

        The next is sent after a response or after the server closed the connection.
        """
        for _ in self.rounds(pause):
            for port in ports or self.ports:
                self.ask(port, data)

    def flood(self, chunk: bytes, *ports: int, connections: int = 4) -> int:
        """
        Send whole frames as fast as the servers take them; read all that comes back.

        :returns: how often the chunk was sent.
        """
        peers = [Peer(port) for port in ports or self.ports for _ in range(connections)]
        open_ = {peer.socket: memoryview(chunk) for peer in peers}
        for each in open_:
            each.setblocking(False)
        sent = 0
        while open_ and not self.is_over:
            readable, writable, _ = select.select([*open_], [*open_], [], 0.1)
            for each in readable:
                if not _read(each):
                    open_.pop(each)
            for each in writable:
                if each in open_:
                    open_[each] = _write(each, open_[each])
                    if not open_[each]:
                        open_[each] = memoryview(chunk)
                        sent += 1
        for peer in peers:
            peer.close()
        return sent


def _read(connection: socket.socket) -> bool:
    """Read what is there; return whether the connection is open."""
    try:
        return bool(connection.recv(1 << 18))
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


def _write(connection: socket.socket, data: memoryview) -> memoryview:
    """Write what can be written; return the rest."""
    try:
        return data[connection.send(data) :]
    except OSError:
        return data


def fields(response: Command | None) -> dict[str, Any]:
    """Return the fields of a response; none if the connection was closed."""
    return dict(response.fields or {}) if response is not None else {}
