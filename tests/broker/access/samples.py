"""A sample of every declared request, with something in each field that it needs."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import msgspec

from rocketmq_tw.model import sysflag
from rocketmq_tw.wire import requests
from rocketmq_tw.wire.bodies.heartbeat import ConsumerData, HeartbeatData
from rocketmq_tw.wire.fields import DECLARED, Request
from rocketmq_tw.wire.requests.heartbeat import Heartbeat
from rocketmq_tw.wire.requests.transaction import EndTransaction

for _module in pkgutil.iter_modules(requests.__path__):
    importlib.import_module(f"{requests.__name__}.{_module.name}")


def declared() -> dict[int, type[Request[Any]]]:
    """Return the requests of the package, by code; tests declare some, too."""
    return {
        int(code): kind
        for code, kind in sorted(DECLARED.items())
        if kind.__module__.startswith("rocketmq_tw.")
    }


def sample(kind: type[Request[Any]]) -> Request[Any]:
    """Make a request with some value in each field that it must have."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.required:
            values[field.name] = 0 if "str" not in str(field.type) else "x"
    body = b"{}"
    if kind.__name__ in ("LockQueues", "UnlockQueues"):
        body = b'{"clientId":"c","consumerGroup":"G","mqSet":[]}'
    elif kind.__name__ == "QueryAssignment":
        body = b'{"clientId":"c","consumerGroup":"G","topic":"T"}'
    elif kind is Heartbeat:
        body = HeartbeatData("c", consumer_data_set=(ConsumerData("G"),)).encode()
    elif kind.__name__ == "UpdateGroup":
        body = b'{"groupName":"G"}'
    elif kind is EndTransaction:
        values["commit_or_rollback"] = sysflag.COMMIT  # 0 has no response
    elif kind.__name__ == "UpdateGroups":
        body = b'{"groupConfigList":[{"groupName":"G"}]}'
    elif kind.__name__ == "DeleteTopics":
        body = b'{"topicList":["T"]}'
    elif kind.__name__ == "DeleteGroups":
        body = b'{"groupNameList":["G"]}'
    return kind(**values, body=body)
