"""
Permissions that a request turns out to need while it is handled.

What a request needs is in its header or its body
(:mod:`rocketmq_tw.wire.requests.rules`), and is asked for before its handler runs. But
a client of 4.9 ends a transaction without naming the topic of the message, which only
the half message shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rocketmq_tw.model.access import Need
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire.fields import Request

Check = Callable[[Request[Any], Call, Need], None]


class LateChecks:
    """Asks access control; without it, everything is permitted."""

    def __init__(self) -> None:
        self._check: Check | None = None

    @property
    def is_used(self) -> bool:
        """Whether anything is asked."""
        return self._check is not None

    def use(self, check: Check) -> None:
        """Ask this function from now on; it raises ``Refused``."""
        self._check = check

    def __call__(self, request: Request[Any], call: Call, need: Need) -> None:
        """:raises Refused: whoever sent the request may not do this."""
        if self._check is not None:
            self._check(request, call, need)
