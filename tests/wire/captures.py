"""Frames of Apache's clients and servers, as recorded in ``golden``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from rocketmq_tw.wire.command import Command, decode
from rocketmq_tw.wire.frame import FrameDecoder

GOLDEN = Path(__file__).with_name("golden")


def files() -> set[str]:
    """Name the recordings."""
    return {path.name for path in GOLDEN.glob("*.json")}


def read(frame: bytes) -> Command:
    """Decode one frame."""
    (found,) = FrameDecoder().feed(frame)
    return decode(*found)


@cache
def captures() -> list[tuple[str, str, Command]]:
    """Give file, name and command of every recorded frame."""
    return [
        (path.name, frame["name"], read(bytes.fromhex(frame["hex"])))
        for path in sorted(GOLDEN.glob("*.json"))
        for frame in json.loads(path.read_text())
    ]


def responses() -> list[tuple[str, Command, Command]]:
    """Give file, request and response of every recorded response."""
    requests = {(where, name): command for where, name, command in captures()}
    return [
        (where, requests[where, name.removesuffix(" response")], command)
        for (where, name), command in requests.items()
        if command.is_response
    ]
