"""
Runs one attack, in a process of low priority.

    python -m tests.longrun.hostile.attacker NAME BROKER NAMES SECONDS

Prints what the attack says about itself. Exit status 3: the server did not respond in
time, which the probe will have seen too.
"""

from __future__ import annotations

import os
import sys

from tests.longrun.hostile.attack import ATTACKS
from tests.longrun.hostile.attacks import load
from tests.longrun.hostile.peers import Target
from tests.longrun.hostile.servers import raise_descriptor_limit


def main(name: str, broker: str, names: str, seconds: str) -> int:
    """Attack."""
    os.nice(5)
    raise_descriptor_limit()
    load()
    try:
        print(ATTACKS[name].run(Target(int(broker), int(names), float(seconds))) or "")
    except TimeoutError as error:
        print(f"no response: {error}")
        return 3
    except OSError as error:
        print(f"{type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
