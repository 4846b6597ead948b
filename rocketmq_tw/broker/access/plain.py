"""
ACL 1.0 in a broker: reads ``plain_acl.yml`` and the files in ``acl`` beside it.

They are read again when one of them has changed. What cannot be used changes nothing:
the rules before stay in force, and one sentence says why.

Source: ``PlainPermissionManager`` of RocketMQ 4.9.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.auth.acl import Account, Acl, AclText, make_acl
from rocketmq_tw.auth.addresses import Address
from rocketmq_tw.auth.errors import AccessDenied, BadPolicy
from rocketmq_tw.auth.signature import ACCESS_KEY, SIGNATURE, Key, is_signed
from rocketmq_tw.jsonfile import read_bytes
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.threads import RunInThread
from rocketmq_tw.wire.fields import Ext, Request
from rocketmq_tw.wire.requests.rules import RULES

#: Bytes of all files together. YAML is read in a thread, at some 1 MB/s.
MAX_SIZE = 1 << 20
#: Files in the folder.
MAX_FILES = 100

#: Topics and groups in one request; a heartbeat may have many.
MAX_NEEDS = 2000

#: What shows that a file has changed: its time, size and number.
Stamps = dict[str, tuple[int, int, int]]


class PlainFiles:
    """
    The files of ACL 1.0.

    :param path: ``plain_acl.yml``.
    :param max_users: how many accounts there may be.
    """

    def __init__(self, path: str, max_users: int) -> None:
        self._path = path
        self._folder = os.path.join(os.path.dirname(path), "acl")
        self._max_users = max_users

    def stamps(self) -> Stamps:
        """Return the state of all files that exist."""
        found: Stamps = {}
        for path in self._paths():
            try:
                state = os.stat(path)
            except OSError:
                continue
            found[path] = (state.st_mtime_ns, state.st_size, state.st_ino)
        return found

    def _paths(self) -> Iterator[str]:
        yield self._path
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return
        found = [name for name in names if name.endswith((".yml", ".yaml"))]
        for name in found[: MAX_FILES + 1]:
            yield os.path.join(self._folder, name)

    def read(self) -> Acl:
        """
        Read the files; blocks.

        :raises BadPolicy: one of them cannot be used, or there is none.
        """
        stamps = self.stamps()
        if not stamps:
            raise BadPolicy(f"there is no {self._path}")
        if len(stamps) > MAX_FILES:
            raise BadPolicy(f"{self._folder} has over {MAX_FILES} files")
        if sum(size for _, size, _ in stamps.values()) > MAX_SIZE:
            raise BadPolicy(f"the files have over {MAX_SIZE} bytes together")
        return make_acl([_read(path) for path in stamps], self._max_users)


def _read(path: str) -> AclText:
    """:raises BadPolicy: the file cannot be used."""
    try:
        data = read_bytes(path) or b""
    except OSError as error:
        raise BadPolicy(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_SIZE:
        raise BadPolicy(f"{path} has over {MAX_SIZE} bytes")
    return decode_acl(data, path)


def decode_acl(data: bytes, path: str) -> AclText:
    """
    Decode a file.

    References are refused: a few lines of them can mean any number of values.

    :raises BadPolicy: it is not YAML, or not of accounts.
    """
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = base(data)
    try:
        while True:
            token = loader.peek_token()
            if isinstance(token, yaml.AliasToken):
                raise BadPolicy(f"{path} has references; write the values instead")
            if token is None:
                break
            loader.get_token()
        document = yaml.load(data, base)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark is not None else ""
        raise BadPolicy(f"{path} is not YAML{line}") from None
    finally:
        loader.dispose()
    try:
        return msgspec.convert(document or {}, AclText)
    except msgspec.ValidationError as error:
        # Its text has types and names, and no value.
        raise BadPolicy(f"{path}: {error}") from None


class PlainChecks:
    """
    The accounts in force.

    :param run_in_thread: reads files that have changed.
    :ivar version: how often they were read again.
    """

    _log = Logger()

    def __init__(self, files: PlainFiles, run_in_thread: RunInThread) -> None:
        self._files = files
        self._run_in_thread = run_in_thread
        self._stamps = files.stamps()
        self._acl = files.read()
        self.version = 0

    def look(self) -> Deferred[None] | None:
        """Read the files if one of them has changed."""
        stamps = self._files.stamps()
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        return self._run_in_thread(self._read).addErrback(self._failed)

    def _read(self) -> None:
        """Replace the rules; called in a thread, so in one assignment."""
        self._acl = acl = self._files.read()
        self.version += 1
        self._log.info(
            "read {count} accounts of access control again", count=len(acl.accounts)
        )

    def _failed(self, failure: Failure) -> None:
        """Keep the rules that are in force."""
        failure.trap(BadPolicy)
        self._log.error(
            "access control keeps the rules that it has: {why}",
            why=log_safe(failure.getErrorMessage(), 300),
        )

    def authenticate(
        self, code: int, ext: Ext, body: bytes, address: Address | None
    ) -> str | None:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        name = ext.get(ACCESS_KEY)
        if self._acl.is_white(address, name):
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

    def key(self, user: str) -> Key:
        """See :class:`~rocketmq_tw.broker.access.guard.Checks`."""
        return self._account(user).key

    def _account(self, name: str) -> Account:
        """:raises AccessDenied: there is no such account."""
        account = self._acl.accounts.get(name)
        if account is None:
            raise AccessDenied(f"No acl config for {log_safe(name)}")
        return account
