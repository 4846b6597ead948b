"""
Requests about namespaced keys, and about the name server's settings.

Source: ``PutKVConfigRequestHeader``, ``GetKVConfigRequestHeader``,
``DeleteKVConfigRequestHeader``, ``GetKVListByNamespaceRequestHeader``.
"""

from __future__ import annotations

from typing import ClassVar

from rocketmq_tw.wire.codes import RequestCode
from rocketmq_tw.wire.fields import Request, Response


class PutKVConfig(Request[Response]):
    """Set one key."""

    code: ClassVar[int] = RequestCode.PUT_KV_CONFIG
    namespace: str
    key: str
    value: str


class KVResponse(Response):
    """The value of one key."""

    value: str | None = None


class GetKVConfig(Request[KVResponse]):
    """Ask for one key; code 22 if it is not set."""

    code: ClassVar[int] = RequestCode.GET_KV_CONFIG
    namespace: str
    key: str


class DeleteKVConfig(Request[Response]):
    """Delete one key."""

    code: ClassVar[int] = RequestCode.DELETE_KV_CONFIG
    namespace: str
    key: str


class GetKVList(Request[Response]):
    """Ask for all keys of a namespace; the body is a ``KVTable``."""

    code: ClassVar[int] = RequestCode.GET_KVLIST_BY_NAMESPACE
    namespace: str


class UpdateNamesrvConfig(Request[Response]):
    """Change settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.UPDATE_NAMESRV_CONFIG


class GetNamesrvConfig(Request[Response]):
    """Ask for the settings; the body is properties text."""

    code: ClassVar[int] = RequestCode.GET_NAMESRV_CONFIG
