"""The program ``rocketmq-admin``: it can be interrupted before all is imported."""

from __future__ import annotations

import sys

#: As that of a program that the signal has ended.
INTERRUPTED = 130


def main() -> None:
    """Run the program; see ``[project.scripts]``."""
    try:
        from rocketmq_tw.admin.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
