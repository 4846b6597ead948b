"""
The accounts of ACL 1.0 in the response to an administrator.

Source: ``GetBrokerClusterAclConfigResponseBody`` and ``PlainAccessConfig`` of RocketMQ
4.9.
"""

from __future__ import annotations

from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.body import Body


class PlainAccessConfig(Body, frozen=True):
    """
    An account.

    :ivar secret_key: never returned here, though Apache RocketMQ does.
    """

    access_key: str
    secret_key: str | None = None
    white_remote_address: str | None = None
    admin: bool = False
    default_topic_perm: str | None = None
    default_group_perm: str | None = None
    topic_perms: tuple[str, ...] | None = None
    group_perms: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"PlainAccessConfig({self.access_key!r}, ...)"


class AclConfig(Body, frozen=True):
    """All accounts, and the addresses that need no signature."""

    global_white_addrs: tuple[str, ...] = ()
    plain_access_configs: tuple[PlainAccessConfig, ...] = ()

    def encode(self) -> bytes:
        """Encode as every body is; there may be 1 MB of them."""
        return fastjson.dumps_plain(self)
