"""
Administration: a client for scripts, and the command line ``rocketmq-admin``.

:class:`~rocketmq_tw.admin.client.AdminClient` has the nouns as attributes; what its
methods return is declared in :mod:`rocketmq_tw.admin.results`. The names below are
imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rocketmq_tw.lazy_exports import importer_of

if TYPE_CHECKING:
    from rocketmq_tw.admin.client import AdminClient as AdminClient
    from rocketmq_tw.admin.errors import AdminError as AdminError
    from rocketmq_tw.admin.errors import AlreadyExists as AlreadyExists
    from rocketmq_tw.admin.errors import InvalidArgument as InvalidArgument
    from rocketmq_tw.admin.errors import NotFound as NotFound
    from rocketmq_tw.admin.errors import NothingResponded as NothingResponded
    from rocketmq_tw.admin.errors import NotTaken as NotTaken
    from rocketmq_tw.admin.errors import RefusedByAll as RefusedByAll
    from rocketmq_tw.admin.errors import is_bad_input as is_bad_input

#: Where each public name is defined; a test compares this with the imports above.
_HOMES = {
    "AdminClient": "rocketmq_tw.admin.client",
    "AdminError": "rocketmq_tw.admin.errors",
    "AlreadyExists": "rocketmq_tw.admin.errors",
    "InvalidArgument": "rocketmq_tw.admin.errors",
    "NothingResponded": "rocketmq_tw.admin.errors",
    "NotFound": "rocketmq_tw.admin.errors",
    "NotTaken": "rocketmq_tw.admin.errors",
    "RefusedByAll": "rocketmq_tw.admin.errors",
    "is_bad_input": "rocketmq_tw.admin.errors",
}

__all__ = [
    "AdminClient",
    "AdminError",
    "AlreadyExists",
    "InvalidArgument",
    "NothingResponded",
    "NotFound",
    "NotTaken",
    "RefusedByAll",
    "is_bad_input",
]

if not TYPE_CHECKING:  # otherwise any name would pass the type checker
    __getattr__ = importer_of(__name__, _HOMES)


def __dir__() -> list[str]:
    """List the public names, including those not imported yet."""
    return sorted([*globals(), *__all__])
