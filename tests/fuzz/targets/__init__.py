"""All targets, by name."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    access,
    bodies,
    documents,
    files,
    headers,
    json,
    pulled,
    records,
    sessions,
    streams,
    texts,
)

_MODULES = (
    json,
    headers,
    bodies,
    records,
    texts,
    documents,
    streams,
    pulled,
    files,
    sessions,
    access,
)
TARGETS: dict[str, Target] = {
    target.name: target for module in _MODULES for target in module.TARGETS
}
