"""
The states of a connection.

::

    NEW --connected--> OPEN --frames--> HANDLING --handled--> OPEN
                         | close            | close
                         |                  v
                         |              FINISHING   the current frame is still handled,
                         |                  |       later ones are not
                         v                  | handled
                     DRAINING <-------------+       the transport closes
    any --lost, abort--> GONE

Requests may be sent while it is ``OPEN`` or ``HANDLING``; responses until it is
``GONE``.
"""

from __future__ import annotations

from enum import Enum


class ConnectionState(Enum):
    """The states in the diagram above."""

    NEW = "NEW"
    OPEN = "OPEN"
    HANDLING = "HANDLING"
    FINISHING = "FINISHING"
    DRAINING = "DRAINING"
    GONE = "GONE"
