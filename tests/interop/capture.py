"""
Record what Apache's clients and servers say to each other: ``tests/wire/golden``.

Two recording proxies stand in the middle, one before the name server and one before
the broker, whose port is replaced in the name server's responses. Run by hand after a
new release: ``python -m tests.interop.capture v55 [ROCKETMQ]``; the second word is
the client's ``rocketmq.serialize.type``, JSON if absent.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from tests.ports import free_port

from . import apache
from .program import wait_for_messages, wait_until

GOLDEN = Path(__file__).parents[1] / "wire" / "golden"
LONGEST = 8_000
"""Longer frames, in bytes, are left out: golden files stay small."""
SAMES = 3
"""How many requests of one code and one sender are kept."""


class Seen(NamedTuple):
    """A frame on its way."""

    connection: int
    sender: str
    frame: bytes


class Head(NamedTuple):
    """The fields of a frame's header that pair a request with its response."""

    code: int
    flag: int
    opaque: int

    @classmethod
    def of(cls, frame: bytes) -> Head:
        """Read a whole frame, length prefix included, with a JSON or binary header."""
        size = int.from_bytes(frame[5:8], "big")
        header = frame[8 : 8 + size]
        if frame[4] == 0:
            fields = json.loads(header)
            return cls(fields["code"], fields["flag"], fields["opaque"])
        return cls(
            int.from_bytes(header[0:2], "big"),
            int.from_bytes(header[9:13], "big"),
            int.from_bytes(header[5:9], "big"),
        )


class RecordingProxy:
    """Forward frames between two ends and keep a copy of each."""

    def __init__(self, target: int, near: str, far: str, record: list[Seen]) -> None:
        """
        Listen on a free port.

        :param target: the port of the far end.
        :param near: the name of who connects; ``far``: of who is connected to.
        """
        self.replace: tuple[bytes, bytes] | None = None
        self._target, self._near, self._far, self._record = target, near, far, record
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        number = 0
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            number += 1
            for source, sink, name in (near, far, self._near), (far, near, self._far):
                arguments = (source, sink, name, self.port * 1000 + number)
                threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, name: str, number: int
    ) -> None:
        stream = source.makefile("rb")
        try:
            while len(prefix := stream.read(4)) == 4:
                frame = prefix + stream.read(int.from_bytes(prefix, "big"))
                self._record.append(Seen(number, name, frame))
                sink.sendall(frame.replace(*self.replace) if self.replace else frame)
        except OSError:
            pass
        finally:
            sink.close()


def chosen(record: list[Seen]) -> list[dict[str, object]]:
    """Pick the first requests of each code and sender, and their responses."""
    kept: list[dict[str, object]] = []
    counts: dict[tuple[int, str], int] = {}
    asked: dict[tuple[int, int, str], str] = {}
    for connection, sender, frame in record:
        head = Head.of(frame)
        if head.flag & 1:
            # Both ends number their own requests: a response is the other end's.
            ends = ("client", "broker", "namesrv")
            keys = [(connection, head.opaque, end) for end in ends if end != sender]
            asker = next((key for key in keys if key in asked), None)
            if asker is None or len(frame) > LONGEST:
                continue
            name = f"{asked.pop(asker)} response"
        else:
            count = counts.get((head.code, sender), 0)
            if count == SAMES or len(frame) > LONGEST:
                continue
            counts[head.code, sender] = count + 1
            name = f"{head.code} {sender} {count + 1}"
            asked[connection, head.opaque, sender] = name
        entry = {"name": name, "from": sender, "code": head.code, "hex": frame.hex()}
        kept.append(entry)
    return kept


def play(release: str, serialize: str, scratch: Path) -> list[Seen]:
    """Let the clients do a little of everything; return all frames."""
    record: list[Seen] = []
    names = apache.name_server(release, scratch)
    for_brokers = RecordingProxy(names.port, "broker", "namesrv", record)
    for_clients = RecordingProxy(names.port, "client", "namesrv", record)
    flag = f"-Drocketmq.serialize.type={serialize}"
    broker = apache.broker(
        release,
        scratch,
        f"127.0.0.1:{for_brokers.port}",
        jvm=(flag,),
    )
    # Its port opens before the name server knows it: the response is the second frame.
    wait_until(lambda: len(record) >= 2, 60, "the broker's registration")
    front = RecordingProxy(broker.port, "client", "broker", record)
    for_clients.replace = (f":{broker.port}".encode(), f":{front.port}".encode())
    options = {"namesrv": f"127.0.0.1:{for_clients.port}", "topic": "TopicTest"}
    options["jvm"] = flag
    plan = "sync:14,oneway:2,batch:8,ordered:2,delayed:2,commit:2,rollback:1,check:1"
    try:
        sender = apache.program(
            release, "SendMessages", scratch, plan=plan, linger=12, **options
        )
        sender.wait_for("sent", 4)
        consumers = [
            apache.program(
                release,
                "ConsumeMessages",
                scratch,
                group=f"group_{listener}",
                listener=listener,
                refuse=4,
                **options,
            )
            for listener in ("concurrent", "orderly")
        ]
        wait_for_messages(consumers, 2 * 31, 60)
        sender.finish()
        time.sleep(6)  # Offsets are stored every five seconds.
        for consumer in consumers:
            consumer.stop()
        reader = apache.program(
            release, "PullMessages", scratch, key="key-s-3", **options
        )
        reader.finish()
        tool = apache.admin(release, scratch, str(options["namesrv"]))
        for command in (
            "clusterList",
            "topicList",
            "topicStatus -t TopicTest",
            "updateTopic -c DefaultCluster -t TopicMade -r 2 -w 2",
            "deleteTopic -c DefaultCluster -t TopicMade",
            "updateSubGroup -c DefaultCluster -g group_made",
            "consumerProgress -g group_concurrent",
        ):
            apache.command(tool, command)
        tool.stop()
    finally:
        broker.stop()
        names.stop()
    return record


def main(release: str, serialize: str = "JSON") -> None:
    """Write one golden file."""
    apache.build()
    with tempfile.TemporaryDirectory() as scratch:
        frames = chosen(play(release, serialize, Path(scratch)))
    GOLDEN.mkdir(exist_ok=True)
    path = GOLDEN / f"{release}-{serialize.lower()}.json"
    lines = ",\n".join(json.dumps(frame) for frame in frames)
    path.write_text(f"[\n{lines}\n]\n")
    print(path, len(frames), "frames")


if __name__ == "__main__":
    main(*sys.argv[1:])
