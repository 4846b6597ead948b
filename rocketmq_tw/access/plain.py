"""
ACL 1.0 in a broker: the accounts that are in force decide about requests.

Files are read again when one of them has changed. What cannot be used changes nothing:
the rules before stay in force, and one sentence says why.

Source: ``PlainPermissionManager`` of RocketMQ 4.9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.access.plain_files import Loaded, PlainFiles
from rocketmq_tw.auth.acl import Account
from rocketmq_tw.auth.addresses import Address
from rocketmq_tw.auth.errors import AccessDenied, BadPolicy
from rocketmq_tw.auth.signature import ACCESS_KEY, SIGNATURE, Key, is_signed
from rocketmq_tw.model.access import MAX_NEEDS, Need
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.fields import Ext, Request
from rocketmq_tw.wire.requests.rules import RULES


class PlainChecks:
    """
    The accounts in force.

    :param run_in_thread: reads files that have changed.
    :ivar version: how often they were read again.
    :ivar loaded: what is in force.
    """

    _log = Logger()

    def __init__(self, files: PlainFiles, run_in_thread: RunInThread) -> None:
        self.files = files
        self._run_in_thread = run_in_thread
        #: Held while files are read or written, so that none is read half changed.
        self._lock = DeferredLock()
        self._stamps = files.stamps()
        self.version = 0
        self.loaded = files.read(self._stamps)

    def look(self) -> Deferred[None] | None:
        """Read the files if one of them has changed, unless that is being done."""
        if self._lock.locked:
            return None
        stamps = self.files.stamps()
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        return self.replace(lambda: self.files.read(stamps)).addErrback(self._failed)

    def replace(self, read: Callable[[], Loaded]) -> Deferred[None]:
        """
        Put rules in force that a function returns; it runs in a thread.

        :returns: fires when they are in force, or fails with what the function raises;
            the rules before then stay.
        """
        found: list[Loaded] = []

        def run() -> Deferred[None]:
            return self._run_in_thread(lambda: found.append(read()))

        def use(_result: object) -> None:
            self.loaded = found[0]
            self._stamps = self.loaded.stamps
            self.version += 1
            count = len(self.loaded.acl.accounts)
            self._log.info("read {count} accounts of access control", count=count)

        return self._lock.run(lambda: run().addCallback(use))

    def _failed(self, failure: Failure) -> None:
        """Keep the rules that are in force; the next look must come."""
        if failure.check(BadPolicy) is None:
            self._log.failure("reading the files of access control failed", failure)
            return
        self._log.error(
            "access control keeps the rules that it has: {why}",
            why=log_safe(failure.getErrorMessage(), 300),
        )

    def authenticate(
        self, code: int, ext: Ext, body: bytes, address: Address | None
    ) -> str | None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        name = ext.get(ACCESS_KEY)
        if self.loaded.acl.is_white(address, name):
            return None
        if not name:
            raise AccessDenied("No accessKey is configured")
        account = self._account(name)
        if SIGNATURE not in ext or not is_signed(ext, body, account.key):
            raise AccessDenied(f"Check signature failed for accessKey={log_safe(name)}")
        return name

    def authorize(
        self,
        user: str | None,
        request: Request[Any],
        host: str,
        address: Address | None,
    ) -> None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        if user is None:
            return  # its address is in a white list
        account = self._account(user)
        rule = RULES.get(int(request.code))
        if rule is None:
            if not account.is_admin:
                raise AccessDenied("The request needs an account with admin")
            return
        if rule.is_administration and not account.is_admin:
            name = type(request).__name__
            raise AccessDenied(f"{name} needs an account with admin")
        needs = rule.needs(request)
        if len(needs) > MAX_NEEDS:
            raise AccessDenied(f"the request names over {MAX_NEEDS} topics and groups")
        account.check(needs)

    def authorize_need(
        self, user: str, code: int, need: Need, host: str, address: Address | None
    ) -> None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        self._account(user).check([need])

    def key(self, user: str) -> Key:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        return self._account(user).key

    def _account(self, name: str) -> Account:
        """:raises AccessDenied: there is no such account."""
        account = self.loaded.acl.accounts.get(name)
        if account is None:
            raise AccessDenied(f"No acl config for {log_safe(name)}")
        return account
