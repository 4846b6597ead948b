"""
What a request needs to be allowed: actions on topics, groups and the cluster.

Source: ``Action``, ``ResourceType`` and ``DefaultAuthorizationContextBuilder`` of
RocketMQ 5.
"""

from __future__ import annotations

from enum import Enum, StrEnum

import msgspec

#: Topics and groups in one request; a heartbeat may have many.
MAX_NEEDS = 2000


class Action(StrEnum):
    """What is done with a resource."""

    ALL = "All"
    PUB = "Pub"
    SUB = "Sub"
    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    GET = "Get"
    LIST = "List"


class ResourceKind(Enum):
    """What can be protected. ``ANY`` stands only in policies, for all of these."""

    ANY = "Any"
    CLUSTER = "Cluster"
    NAMESPACE = "Namespace"
    TOPIC = "Topic"
    GROUP = "Group"


class Need(msgspec.Struct, frozen=True, gc=False):
    """
    One resource that a request uses, and what it does there.

    :ivar name: the name of the topic or group; empty for the cluster; ``*`` means that
        all of them are used.
    :ivar actions: one of them has to be allowed.
    """

    kind: ResourceKind
    name: str
    actions: tuple[Action, ...]


class Caller(Enum):
    """Who sends a request, if nobody protects the server from it."""

    #: Producers and consumers.
    CLIENT = "client"
    #: Brokers: registrations, and what slaves copy.
    SERVER = "server"
    #: Tools of operators.
    ADMINISTRATOR = "administrator"
