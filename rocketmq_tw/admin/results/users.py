"""What is known of users (ACL 2.0), and of what each of them may do."""

from __future__ import annotations

import msgspec


class UserSummary(msgspec.Struct, frozen=True, kw_only=True):
    """
    A user. Where brokers differ, each state of it is one of these.

    :ivar is_super: whether it may do everything.
    :ivar enabled: whether it is let in.
    :ivar brokers: the addresses of the brokers that know it so.
    """

    name: str
    is_super: bool
    enabled: bool
    brokers: tuple[str, ...] = ()


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a user may do with a resource, or may not.

    :ivar resource: ``Topic:orders``, ``Group:billing*``, ``Cluster:*``...
    :ivar actions: ``Pub``, ``Sub``, ``Create``...
    :ivar sources: addresses from which that counts; none for all.
    :ivar is_default: it counts where no other permission of the user does.
    :ivar brokers: the addresses of the brokers that have it.
    """

    resource: str
    actions: tuple[str, ...]
    allow: bool
    sources: tuple[str, ...] = ()
    is_default: bool = False
    brokers: tuple[str, ...] = ()


class UserDetails(msgspec.Struct, frozen=True, kw_only=True):
    """
    A user, and what it may do.

    :ivar states: more than one if brokers differ.
    """

    name: str
    states: tuple[UserSummary, ...]
    permissions: tuple[Permission, ...] = ()
    failed: dict[str, str] = {}
