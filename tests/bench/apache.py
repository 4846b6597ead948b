"""
Apache's broker as it is run for good: the whole compiler, G1, a warm start.

Source: ``runbroker.sh`` of Apache RocketMQ 5, for the flags of the virtual machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.interop import apache

#: What of the machine's memory the heap takes. Apache's script asks for 8 GiB on any
#: machine; what it does not hold of the log is left to the page cache.
HEAP_SHARE = 8
LARGEST_HEAP = 8 << 30


def heap_size(brokers: int = 1) -> int:
    """Return the size of the heap of each of some brokers, in bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(LARGEST_HEAP, memory // HEAP_SHARE) // brokers


def flags(brokers: int = 1) -> tuple[str, ...]:
    """
    Return flags that override those with which the interop tests start Java.

    :param brokers: how many share this machine.
    """
    heap = heap_size(brokers) >> 20
    return (
        "-server",
        f"-Xms{heap}m",
        f"-Xmx{heap}m",
        "-XX:TieredStopAtLevel=4",
        "-XX:-UseSerialGC",
        "-XX:+UseG1GC",
        "-XX:G1HeapRegionSize=16m",
        "-XX:G1ReservePercent=25",
        "-XX:InitiatingHeapOccupancyPercent=30",
        "-XX:SoftRefLRUPolicyMSPerMB=0",
        "-XX:-OmitStackTraceInFastThrow",
        "-XX:+AlwaysPreTouch",
        "-XX:MaxDirectMemorySize=15g",
    )


class ApacheBroker:
    """
    A name server and a broker.

    :param release: one of ``tests.interop.apache.RELEASES``.
    :param store: its store; a new one if absent.
    :param brokers: how many share this machine.
    :param jvm: further flags of the broker's virtual machine.
    :param conf: further lines of its configuration.
    :ivar started_in: seconds from the broker's start until its port was open.
    """

    def __init__(
        self,
        release: str,
        scratch: Path,
        store: Path | None = None,
        brokers: int = 1,
        jvm: tuple[str, ...] = (),
        **conf: object,
    ) -> None:
        self._names = apache.name_server(release, scratch)
        begin = time.monotonic()
        try:
            self._broker = apache.broker(
                release,
                scratch,
                self._names.address,
                store=store,
                jvm=(*flags(brokers), *jvm),
                **conf,
            )
        except BaseException:
            self._names.abandon()
            raise
        self.started_in = time.monotonic() - begin
        self.port = self._broker.port
        self.name_server = self._names.address
        self.pid: int = self._broker.process.pid

    def stop(self) -> None:
        """End both, whatever they do: nobody reads what they stored."""
        self._broker.abandon()
        self._names.abandon()


def version(release: str) -> str:
    """Return the version of Apache RocketMQ that a release stands for."""
    path = (apache.JAVA / release / "target" / "classpath.txt").read_text()
    found = [p for p in path.split(":") if "/rocketmq-broker-" in p]
    return found[0].rpartition("rocketmq-broker-")[2].removesuffix(".jar")
