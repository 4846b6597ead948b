"""
The corpus: minimised inputs that were once findings, one file each.

``corpus/<target>/<name>`` holds the bytes as they are; what was wrong is in the commit
that added it. Names are those of the fault, or the start of a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")


def inputs(target: str, folder: Path = CORPUS) -> Iterator[tuple[str, bytes]]:
    """Give the name and bytes of each input of a target."""
    for path in sorted((folder / target).glob("*.bin")):
        yield path.stem, path.read_bytes()


def add(target: str, data: bytes, folder: Path = CORPUS) -> Path:
    """Keep an input; return its path."""
    path = folder / target / f"{hashlib.sha256(data).hexdigest()[:16]}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
