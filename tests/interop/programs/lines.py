"""The command line and the JSON lines of a program, as in the Java ones."""

from __future__ import annotations

import argparse
import json
import sys
import time
from hashlib import sha256
from typing import Any

from rocketmq_tw import Credentials, Tls
from rocketmq_tw.model.message import StoredMessage


def options(**defaults: Any) -> argparse.Namespace:
    """Read ``--name value`` pairs; a default of ``None`` makes one required."""
    parser = argparse.ArgumentParser()
    for name, default in defaults.items():
        parser.add_argument(
            f"--{name}",
            default=default,
            required=default is None,
            type=int if isinstance(default, int) else str,
            dest=f"{name}_",
        )
    return parser.parse_args()


def tls(given: argparse.Namespace) -> Tls | None:
    """
    Return how to use TLS; None without the option ``ca``.

    The options ``cert`` and ``key`` are the client's own files.
    """
    if not given.ca_:
        return None
    return Tls(
        ca_file=given.ca_, certificate=given.cert_ or None, key=given.key_ or None
    )


def credentials(given: argparse.Namespace) -> Credentials | None:
    """Return the user who signs requests; None without the option ``user``."""
    return Credentials(given.user_, given.password_) if given.user_ else None


def say(event: str, **fields: Any) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def say_message(message: StoredMessage) -> None:
    """Print a received message, as ``MessageLine`` does."""
    say(
        "message",
        topic=message.topic,
        broker=message.broker_name,
        queueId=message.queue_id,
        queueOffset=message.queue_offset,
        commitLogOffset=message.commit_log_offset,
        msgId=message.message_id,
        tags=message.tag,
        keys=" ".join(message.keys),
        properties=message.properties,
        reconsumeTimes=message.reconsume_times,
        bornHost=message.born_host,
        size=len(message.body),
        digest=sha256(message.body).hexdigest(),
        time=time.time_ns() // 1_000_000,
    )
