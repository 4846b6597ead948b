"""
How Java allocates queues: ``python -m tests.interop.allocations`` stores it.

The unit tests compare our strategies with what is stored.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.client.consumer.group.allocation_cases import TABLE, lines

from . import apache


def of_java(release: str, scratch: Path) -> dict[str, list[Any]]:
    """Let a release allocate all cases."""
    program = apache.program(release, "Allocate", scratch)
    try:
        program.wait_for("started")
        cases = list(lines())
        found = program.ask("|".join(cases), "allocated")["all"]
        return dict(zip(cases, map(sorted, found), strict=True))
    finally:
        program.kill()


def main() -> None:
    """Write the table."""
    apache.build()
    with tempfile.TemporaryDirectory() as scratch:
        table = of_java("v55", Path(scratch))
    rows = [f"{json.dumps(line)}: {json.dumps(row)}" for line, row in table.items()]
    TABLE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
