"""A broker as a program of its own, and a client that asks it much at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rocketmq_tw.wire.command import Command, decode, decode_json, encode_request
from rocketmq_tw.wire.fields import Request, from_ext
from rocketmq_tw.wire.frame import JSON, FrameDecoder
from rocketmq_tw.wire.requests.offset import GetMaxOffset
from rocketmq_tw.wire.requests.pull import SUBSCRIPTION, PullMessage
from rocketmq_tw.wire.requests.send import SendMessageV2
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


class Broker:
    """
    A broker in a folder, without a name server.

    :param prelude: Python that its program runs first, to make a disk slow.
    :param settings: of its ``broker.conf``.
    :ivar ready_in: seconds from its start to its first answer.
    :ivar ready_cpu: the processor time that it took until then.
    """

    def __init__(self, folder: Path, prelude: str = "", **settings: object) -> None:
        self.folder = folder
        self._prelude = prelude
        self.port = free_port()
        self.ready_in = self.ready_cpu = 0.0
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where it says what it does."""
        return self.folder / "broker.log"

    def start(self, patience: float = 120.0) -> None:
        """Start it, and wait for a response."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{key}={value}" for key, value in self._settings.items()]
        (self.folder / "broker.conf").write_text("\n".join(lines))
        begin = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=_environment(),
                stdout=log,
                stderr=log,
            )
        while True:
            try:
                self.link(timeout=patience).ask(GetMaxOffset("none", 0))
                break
            except OSError:
                if self._process.poll() is not None:
                    raise AssertionError(self.log.read_text()[-2000:]) from None
                assert time.monotonic() - begin < patience, "it does not answer"
                time.sleep(0.005)
        self.ready_in = time.monotonic() - begin
        self.ready_cpu = self.cpu()

    def link(self, timeout: float = 30.0) -> Link:
        """Connect to it."""
        return Link(self.port, timeout)

    def kill(self) -> None:
        """Kill it, as the kernel would when memory runs out."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def memory(self) -> int:
        """Give the memory that only it uses, and that it has written to, in bytes."""
        fields = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in fields if "kB" in line}
        return int(found["RssAnon"]) << 10

    def cpu(self) -> float:
        """Give the processor time it took, in seconds."""
        return sum(self._times())

    def user_cpu(self) -> float:
        """Give the processor time it took outside the kernel, in seconds."""
        return self._times()[0]

    def _times(self) -> tuple[float, float]:
        """Give the processor time outside the kernel, and in it."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) / _TICKS, int(fields[12]) / _TICKS

    def descriptors(self) -> int:
        """Count its open files."""
        return len(os.listdir(f"/proc/{self._pid}/fd"))

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._pid, number)

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _end(self, by: signal.Signals) -> None:
        """End it and wait."""
        if self._process is not None:
            self._process.send_signal(by)
            # Many queues take long to flush on a busy disk.
            self._process.wait(300)
            self._process = None

    def _command(self) -> list[str]:
        """Give its command line."""
        program = f"{self._prelude}\nfrom twisted.scripts.twistd import run; run()"
        words = ["-c", program, "-n"]
        words += ["--pidfile=", "rocketmq-broker", "-c", "broker.conf", "-d", "data"]
        words += ["-p", f"127.0.0.1:{self.port}", "--advertise", "127.0.0.1"]
        return [sys.executable, *words]


class Link:
    """
    A connection that waits for its responses.

    :ivar asked: the requests of the broker that came meanwhile.
    """

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._decoder = FrameDecoder()
        self._opaque = 0
        self._answers: dict[int, Command] = {}
        self.asked: list[Command] = []

    def send(self, request: Request[Any]) -> int:
        """Send a request; give the number that its response will have."""
        self._opaque += 1
        self._socket.sendall(encode_request(request, self._opaque))
        return self._opaque

    def answer(self, opaque: int) -> Command:
        """
        Wait for a response.

        :raises OSError: the connection was lost, or it took too long.
        """
        while opaque not in self._answers:
            data = self._socket.recv(1 << 20)
            if not data:
                raise ConnectionResetError("closed")
            for kind, header, body in self._decoder.feed(data):
                if kind == JSON:
                    found = decode_json(header, body)
                else:
                    found = decode(kind, header, body)
                if found.is_response:
                    self._answers[found.opaque or 0] = found
                else:
                    self.asked.append(found)
        return self._answers.pop(opaque)

    def ask(self, request: Request[Any]) -> Command:
        """Send a request and wait for its response."""
        return self.answer(self.send(request))

    def ask_all(
        self, requests: Iterable[Request[Any]], depth: int = 64
    ) -> Iterator[Command]:
        """Send requests, so many of them on their way at a time; give the responses."""
        on_their_way: list[int] = []
        for request in requests:
            on_their_way.append(self.send(request))
            if len(on_their_way) >= depth:
                yield self.answer(on_their_way.pop(0))
        for opaque in on_their_way:
            yield self.answer(opaque)

    def pull(
        self, topic: str, queue_id: int, offset: int, group: str = "longrun"
    ) -> Any:
        """Pull from a queue; give the response with its body."""
        found = self.ask(pull(topic, queue_id, offset, group=group))
        assert "nextBeginOffset" in found.fields, (found.code, found.remark)
        answer = from_ext(PullMessage.response_type, found.fields)
        answer.status, answer.body, answer.remark = found.code, found.body, found.remark
        return answer

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Heartbeats:
    """
    Somebody who asks little, again and again, while others ask much.

    :param request: what is asked; the end of a queue if absent.
    :ivar waits: how long each response took, in seconds; the longest is the last.
    """

    def __init__(self, broker: Broker, request: Request[Any] | None = None) -> None:
        self.waits: list[float] = []
        self._request = request or GetMaxOffset("none", 0)
        self._link = broker.link()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._ended.set()
        self._thread.join()
        self._link.close()
        self.waits.sort()

    def _run(self) -> None:
        """Ask every 10 ms."""
        while not self._ended.wait(0.01):
            begin = time.monotonic()
            answer = self._link.ask(self._request)
            assert answer.code == 0, answer
            self.waits.append(time.monotonic() - begin)


def send(topic: str, queue_id: int, body: bytes, **more: Any) -> SendMessageV2:
    """Make a send."""
    values: dict[str, Any] = {
        "producer_group": "longrun",
        "topic": topic,
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": queue_id,
        "sys_flag": 0,
        "born_timestamp": 1,
        "flag": 0,
        "properties": "",
        "body": body,
    }
    return SendMessageV2(**values | more)


def pull(
    topic: str, queue_id: int, offset: int, count: int = 32, group: str = "longrun"
) -> PullMessage:
    """Make a pull that does not wait."""
    return PullMessage(
        consumer_group=group,
        topic=topic,
        queue_id=queue_id,
        queue_offset=offset,
        max_msg_nums=count,
        sys_flag=SUBSCRIPTION,
        commit_offset=0,
        suspend_timeout_millis=1000,
        subscription="*",
    )


def _environment() -> dict[str, str]:
    """Give the environment of a broker that knows no name server."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "NAMESRV_ADDR": ""}
