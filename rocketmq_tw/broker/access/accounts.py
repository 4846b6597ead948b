"""
Handles requests about the accounts of ACL 1.0.

What changes accounts needs the signature of an account with ``admin``, wherever it
comes from: elsewhere, an address of a white list would be enough to become one. Secrets
are never returned, though Apache RocketMQ shows them.

A response comes when the file is on disk, and in force.

Source: ``AdminBrokerProcessor.updateAndCreateAccessConfig`` and those beside it, of
RocketMQ 4.9.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.access.plain import PlainChecks
from rocketmq_tw.auth.acl import AccountText
from rocketmq_tw.auth.errors import AccessDenied, BadPolicy
from rocketmq_tw.auth.plain_document import (
    AccountChange,
    Document,
    Version,
    put_account,
    remove_account,
    replace_white,
)
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import host_of
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire import fastjson
from rocketmq_tw.wire.bodies.accounts import AclConfig, PlainAccessConfig
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.accounts import (
    AccountVersions,
    DeleteAccount,
    GetAccounts,
    GetAccountVersions,
    UpdateAccount,
    UpdateWhiteAddresses,
)

#: Commas between patterns, and not those within ``10.0.0.{1,2}``.
_COMMA = re.compile(r",(?![^{]*\})")


class AccountProcessor:
    """
    Handles the requests.

    :param address: ``host:port`` under which clients know the broker.
    """

    _log = Logger()

    def __init__(
        self,
        checks: PlainChecks,
        *,
        address: str,
        broker_name: str,
        cluster_name: str,
    ) -> None:
        self._checks = checks
        self._address = address
        self._broker_name = broker_name
        self._cluster_name = cluster_name

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(UpdateAccount, self.update_account)
        router.on(DeleteAccount, self.delete_account)
        router.on(UpdateWhiteAddresses, self.update_white_addresses)
        router.on(GetAccountVersions, self.get_versions)
        router.on(GetAccounts, self.get_accounts)

    def update_account(self, request: UpdateAccount, call: Call) -> Deferred[Response]:
        """Create an account, or change what the request has of it."""
        user = self._administrator(request, call)
        change = AccountChange(
            access_key=request.access_key,
            secret_key=request.secret_key,
            white_remote_address=request.white_remote_address,
            admin=bool(request.admin),
            default_topic_perm=request.default_topic_perm,
            default_group_perm=request.default_group_perm,
            topic_perms=_split(request.topic_perms),
            group_perms=_split(request.group_perms),
        )
        files = self._checks.files
        path = self._checks.loaded.file_of(request.access_key) or files.path
        return self._change(
            request,
            call,
            user=user,
            path=path,
            edit=lambda document: put_account(document, change),
            code=ResponseCode.UPDATE_AND_CREATE_ACL_CONFIG_FAILED,
        )

    def delete_account(self, request: DeleteAccount, call: Call) -> Deferred[Response]:
        """Delete an account."""
        user = self._administrator(request, call)
        key = request.access_key
        path = self._checks.loaded.file_of(key) or self._checks.files.path
        return self._change(
            request,
            call,
            user=user,
            path=path,
            edit=lambda document: remove_account(document, key),
            code=ResponseCode.DELETE_ACL_CONFIG_FAILED,
        )

    def update_white_addresses(
        self, request: UpdateWhiteAddresses, call: Call
    ) -> Deferred[Response]:
        """Replace the addresses that need no signature, in one of the files."""
        user = self._administrator(request, call)
        code = ResponseCode.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED
        path = self._checks.files.path
        if request.acl_file_full_path:
            path = os.path.normpath(request.acl_file_full_path)
            # A request must not name any other file.
            if path not in (self._checks.files.path, *self._checks.loaded.texts):
                raise Refused(code, "it is none of the files with accounts")
        found = (each.strip() for each in _COMMA.split(request.global_white_addrs))
        patterns = [each for each in found if each]
        return self._change(
            request,
            call,
            user=user,
            path=path,
            edit=lambda document: replace_white(document, patterns),
            code=code,
        )

    def get_versions(self, request: GetAccountVersions, call: Call) -> AccountVersions:
        """Return how often each file was changed."""
        texts = self._checks.loaded.texts
        main = texts.get(self._checks.files.path)
        versions = {path: each.version for path, each in texts.items()}
        return AccountVersions(
            version=_json(Version() if main is None else main.version),
            all_acl_file_version=_json(versions),
            broker_name=self._broker_name,
            broker_addr=self._address,
            cluster_name=self._cluster_name,
        )

    def get_accounts(self, request: GetAccounts, call: Call) -> Response:
        """Return all accounts, without their secrets."""
        loaded = self._checks.loaded
        accounts = tuple(map(_row, loaded.accounts()))
        return Response(body=AclConfig(tuple(loaded.white()), accounts).encode())

    def _change(
        self,
        request: Request[Any],
        call: Call,
        *,
        user: str,
        path: str,
        edit: Callable[[Document], None],
        code: ResponseCode,
    ) -> Deferred[Response]:
        """
        Change a file; the response comes when that is in force.

        :param user: the administrator who asks, checked before anything else is.
        """
        now_ms = int(call.received_at * 1000)
        files = self._checks.files
        changed = self._checks.replace(lambda: files.change(path, edit, now_ms))

        def respond(_result: object) -> Response:
            self._log.info(
                "{request} of {user} from {peer} has changed {path}",
                request=type(request).__name__,
                user=log_safe(user),
                peer=call.peer.address,
                path=path,
            )
            return Response()

        def refuse(failure: Any) -> Response:
            failure.trap(BadPolicy)
            raise Refused(code, log_safe(failure.getErrorMessage(), 300))

        return changed.addCallbacks(respond, refuse)

    def _administrator(self, request: Request[Any], call: Call) -> str:
        """
        Return who has signed a request; white lists do not count.

        :raises Refused: it is no account with ``admin``.
        """
        host = host_of(call.peer.address)
        try:
            # Without an address it is in no white list.
            user = call.principal or self._checks.authenticate(
                int(request.code), call.ext(), request.body, None
            )
            self._checks.authorize(user, request, host, None)
        except AccessDenied as error:
            raise Refused(ResponseCode.NO_PERMISSION, str(error)) from None
        assert user is not None, "only a white list lets in nobody"
        return user


def _split(text: str | None) -> list[str] | None:
    """Return the parts of a list, which may be empty; None if it is absent."""
    if text is None:
        return None
    return text.split(",") if text.strip() else []


def _json(value: object) -> str:
    return fastjson.dumps(value).decode()


def _row(account: AccountText) -> PlainAccessConfig:
    """Return an account as administrators see it."""
    return PlainAccessConfig(
        access_key=str(account.access_key),
        white_remote_address=account.white_remote_address,
        admin=account.admin,
        default_topic_perm=account.default_topic_perm,
        default_group_perm=account.default_group_perm,
        topic_perms=_tuple(account.topic_perms),
        group_perms=_tuple(account.group_perms),
    )


def _tuple(texts: list[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(texts)
