"""
Requests about the accounts of ACL 1.0.

Source: ``CreateAccessConfigRequestHeader``, ``DeleteAccessConfigRequestHeader``,
``UpdateGlobalWhiteAddrsConfigRequestHeader`` and ``GetBrokerAclConfigResponseHeader``
of RocketMQ 4.9.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class UpdateAccount(Request[Response]):
    """
    Create an account, or change what the request has of it.

    :ivar topic_perms: ``name=PUB|SUB`` and the like, separated by commas.
    """

    code: ClassVar[int] = RequestCode.UPDATE_AND_CREATE_ACL_CONFIG
    access_key: str
    secret_key: str | None = None
    white_remote_address: str | None = None
    admin: bool | None = None
    default_topic_perm: str | None = None
    default_group_perm: str | None = None
    topic_perms: str | None = None
    group_perms: str | None = None

    def __repr__(self) -> str:
        return f"UpdateAccount({self.access_key!r}, ...)"


class DeleteAccount(Request[Response]):
    """Delete an account."""

    code: ClassVar[int] = RequestCode.DELETE_ACL_CONFIG
    access_key: str


class AccountVersions(Response):
    """
    How often the files of accounts were changed.

    :ivar version: of the main file; JSON with ``counter`` and ``timestamp``.
    :ivar all_acl_file_version: of each file, by its path; JSON.
    """

    version: str
    broker_name: str
    broker_addr: str
    cluster_name: str
    all_acl_file_version: str | None = None


class GetAccountVersions(Request[AccountVersions]):
    """Ask how often the files of accounts were changed."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CLUSTER_ACL_INFO


class UpdateWhiteAddresses(Request[Response]):
    """
    Replace the addresses that need no signature.

    :ivar global_white_addrs: patterns, separated by commas.
    :ivar acl_file_full_path: the file; None for the main one.
    """

    code: ClassVar[int] = RequestCode.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG
    global_white_addrs: str
    acl_file_full_path: str | None = None


class GetAccounts(Request[Response]):
    """Ask for all accounts; the body is JSON."""

    code: ClassVar[int] = RequestCode.GET_BROKER_CLUSTER_ACL_CONFIG
