"""Every document of settings, as a broker or a name server reads it at its start."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from functools import cache

from twisted.internet.task import Clock

from rocketmq_tw.broker.configuration import CommandLine, complete_config
from rocketmq_tw.broker.delay.offsets import DelayOffsets
from rocketmq_tw.broker.tables.groups import GroupTable
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.namesrv.config import NamesrvConfig
from rocketmq_tw.namesrv.kvconfig import KVConfig
from rocketmq_tw.settings import apply, read
from rocketmq_tw.threads import run_here
from tests.fuzz.target import Amplifier, Budget, Target
from tests.fuzz.targets.json import repeated


@cache
def folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for the documents, in memory where there is such a place."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="rocketmq-fuzz-", dir=where)


def write(name: str, data: bytes) -> str:
    """Write a file, alone in its folder; return its path."""
    path = os.path.join(folder().name, name)
    for each in os.listdir(folder().name):
        os.unlink(os.path.join(folder().name, each))
    with open(path, "wb") as file:
        file.write(data)
    return path


def _nothing(*_arguments: object) -> None:
    """Schedule nothing, and notify nobody."""


def _topics(path: str) -> None:
    TopicTable(JsonFile(path), "C", "b", clock=Clock(), schedule=_nothing).load()


def _groups(path: str) -> None:
    GroupTable(JsonFile(path), clock=Clock(), schedule=_nothing).load()


def _offsets(path: str) -> None:
    table = ConsumerOffsets(JsonFile(path), clock=Clock())
    table.load()
    table.encode()


def _delays(path: str) -> None:
    offsets = DelayOffsets(JsonFile(path))
    offsets.next_document(offsets.load(), 1.0)


def _values(path: str) -> None:
    file = JsonFile(path)
    KVConfig(file=file, run_in_thread=run_here, on_change=_nothing).load()


def _broker(path: str) -> None:
    complete_config(CommandLine(config=path))


def _name_server(path: str) -> None:
    config, _ = apply(NamesrvConfig, read(path))
    str(config.endpoint)


def _loading(name: str, load: Callable[[str], None]) -> Callable[[bytes], None]:
    """Return what writes a document and loads it."""
    return lambda data: load(write(name, data))


_VERSION = b'"dataVersion":{"counter":{"value":2},"stateVersion":0,"timestamp":1}'
_TOPIC = (
    b'{"topicName":"T","readQueueNums":4,"writeQueueNums":4,"perm":6,"order":false,'
    b'"topicFilterType":"SINGLE_TAG","topicSysFlag":0,"attributes":{}}'
)
_GROUP = (
    b'{"groupName":"G","consumeEnable":true,"retryQueueNums":1,"retryMaxTimes":16,'
    b'"groupRetryPolicy":{"type":"CUSTOMIZED"},"subscriptionDataSet":null}'
)
_DOCUMENTS: Mapping[str, tuple[Callable[[str], None], bytes]] = {
    "topics.json": (
        _topics,
        b'{"topicConfigTable":{"T":' + _TOPIC + b"}," + _VERSION + b"}",
    ),
    "subscriptionGroup.json": (
        _groups,
        b'{"subscriptionGroupTable":{"G":' + _GROUP + b"},"
        b'"forbiddenTable":{"G":{"T":4}},' + _VERSION + b"}",
    ),
    "consumerOffset.json": (
        _offsets,
        b'{"offsetTable":{"T@G":{0:5,1:-1},"T@H":{"0":7}},' + _VERSION + b"}",
    ),
    "delayOffset.json": (_delays, b'{"offsetTable":{1:5,2:-1},' + _VERSION + b"}"),
    "kvConfig.json": (_values, b'{"configTable":{"ORDER":{"T":"b:4;c:4"}}}'),
    "broker.conf": (
        _broker,
        b"brokerName=b\nbrokerIP1=10.0.0.1\nlistenPort = 10911\nflushDiskType="
        b"ASYNC_FLUSH\nnamesrvAddr=10.0.0.1:9876;[::1]:9876\n# a comment\n",
    ),
    "namesrv.properties": (
        _name_server,
        b"listenPort=9876\nlisten=tcp:9876:interface=127.0.0.1\nrocketmqHome=/x\n",
    ),
}
_ENTRIES: Mapping[str, Amplifier] = {
    "topics.json": lambda size: (
        b'{"topicConfigTable":{'
        + b",".join(b'"%d":%b' % (i, _TOPIC) for i in range(size // 150 + 1))
        + b"}}"
    ),
    "consumerOffset.json": lambda size: (
        b'{"offsetTable":{"T@G":{'
        + b",".join(b"%d:7" % i for i in range(size // 8 + 1))
        + b"}}}"
    ),
    "delayOffset.json": lambda size: (
        b'{"offsetTable":{'
        + b",".join(b"%d:7" % i for i in range(size // 8 + 1))
        + b"}}"
    ),
    "kvConfig.json": repeated('{"configTable":{a:{', "1:1,", "}}}"),
    "broker.conf": repeated("", "a=1\n"),
}

TARGETS = tuple(
    Target(
        name=name,
        run=_loading(name, load),
        # The programs make a sentence of a ValueError too.
        errors=(RocketMQError, *((ValueError,) if "json" not in name else ())),
        seeds=lambda seed=seed: (seed, seed.replace(b":4", b":1e1"), b"{}"),  # type: ignore[misc]
        amplifiers={"entries": _ENTRIES[name]} if name in _ENTRIES else {},
        budget=Budget(work=40_000, work_each=60, memory=512 << 10),
        examples=8,
    )
    for name, (load, seed) in _DOCUMENTS.items()
)
