"""
Makes users of the accounts in ``plain_acl.yml``, when a broker starts.

A user that exists is left alone, so that a migration can be repeated. What cannot
become a user is named in the log, and the others are migrated.

Source: ``AuthMigrator`` of RocketMQ 5.3.
"""

from __future__ import annotations

from twisted.logger import Logger

from rocketmq_tw.access.plain_files import PlainFiles
from rocketmq_tw.auth.acl import AccountText
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.migration import acl_of, user_of
from rocketmq_tw.broker.access.users import UserTable
from rocketmq_tw.model.log_safe import log_safe

_log = Logger()


def migrate(files: PlainFiles, users: UserTable) -> None:
    """
    Add a user for each account that has none; blocks.

    :raises BadPolicy: the files cannot be used; the broker does not start.
    """
    stamps = files.stamps()
    if not stamps:
        _log.warn("no account is migrated: there is no {path}", path=files.path)
        return
    loaded = files.read(stamps)
    made = 0
    for account in loaded.accounts():
        key = str(account.access_key)
        if users.get(key) is not None:
            continue
        try:
            _add(account, users)
        except BadPolicy as error:
            _log.error(
                "the account {key} is not migrated: {why}",
                key=log_safe(key),
                why=log_safe(str(error)),
            )
        else:
            made += 1
    _log.info("{made} accounts of {path} became users", made=made, path=files.path)
    if loaded.white() or any(each.white_remote_address for each in loaded.accounts()):
        _log.warn(
            "{path} has white lists, which users do not: requests from these addresses"
            " need a signature now",
            path=files.path,
        )


def _add(account: AccountText, users: UserTable) -> None:
    """:raises BadPolicy: it cannot be a user; there is none then."""
    user, acl = user_of(account), acl_of(account)
    users.put(user)
    try:
        users.put_acl(user.username, acl)
    except BadPolicy:
        users.delete(user.username)
        raise
