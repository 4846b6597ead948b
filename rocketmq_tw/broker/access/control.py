"""Installs access control in a broker: ACL 1.0 from files, or ACL 2.0 with users."""

from __future__ import annotations

import os

from twisted.internet.defer import Deferred

from rocketmq_tw.access.plain import PlainChecks
from rocketmq_tw.access.plain_files import PlainFiles
from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.policies import UserType
from rocketmq_tw.broker.access.accounts import AccountProcessor
from rocketmq_tw.broker.access.guard import AccessGuard, Checks
from rocketmq_tw.broker.access.migrate import migrate
from rocketmq_tw.broker.access.processor import AccessProcessor
from rocketmq_tw.broker.access.user_checks import UserChecks
from rocketmq_tw.broker.access.users import (
    AccessDocument,
    UserRow,
    UserTable,
    make_user,
)
from rocketmq_tw.broker.broker import Broker
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.peer_log import PeerLog
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.wire.codes import ResponseCode

#: Milliseconds between two looks whether the files of ACL 1.0 have changed.
LOOK_PERIOD = 2000
#: The document of users and policies.
DOCUMENT = "access.json"


def install_access_control(broker: Broker, router: Router) -> None:
    """
    Register the guard, and for ACL 2.0 the handlers about users.

    :raises BadPolicy: the files cannot be used; the broker does not start.
    """
    settings = broker.config.access
    checks: Checks
    if settings.acl_file is not None:
        checks = _install_accounts(broker, router, settings.acl_file)
    else:
        users = _install_users(broker, router)
        checks = UserChecks(users, settings, broker.config.broker_cluster_name)
    admission = broker.replication.admission
    guard = AccessGuard(
        checks,
        PeerLog(broker.clock),
        inner=None if settings.inner is None else settings.inner.name,
        inner_asked=None if admission is None else admission.inner_user_asked,
    )
    router.guard(guard, reader=guard.reader)
    broker.late_checks.use(guard.check_late)
    broker.stats.gauges.update(guard.gauges())


def _install_accounts(broker: Broker, router: Router, path: str) -> PlainChecks:
    """Read the accounts, look for changes, and handle requests about them."""
    config = broker.config
    files = PlainFiles(path, config.max_access_users)
    checks = PlainChecks(files, broker.run_in_thread)
    broker.periodic.every(LOOK_PERIOD, checks.look)
    AccountProcessor(
        checks,
        address=broker.address,
        broker_name=config.broker_name,
        cluster_name=config.broker_cluster_name,
    ).routes(router)
    admission, inner = broker.replication.admission, config.access.inner
    name = None if inner is None else inner.name
    if admission is not None:
        admission.is_trusted = lambda address: checks.loaded.acl.is_white(address, name)
    return checks


def _install_users(broker: Broker, router: Router) -> UserTable:
    """Read the users, and handle requests about them."""
    settings = broker.config.access
    config = broker.config
    users = UserTable(config.max_access_users, config.max_access_entries)
    broker.stats.gauges.update(users.gauges())
    path = os.path.join(os.path.expanduser(settings.folder), DOCUMENT)
    # An absolute path replaces the folder of the tables.
    file = broker.tables.file(path)
    file.is_private = True
    found = file.load_as(AccessDocument.decode)
    if found is not None:
        users.load(found)
    before = users.version
    if settings.migrated_file is not None:
        migrate(PlainFiles(settings.migrated_file, config.max_access_users), users)
    for first in (settings.first_user, settings.inner):
        if first is not None and users.get(first.name) is None:
            row = UserRow(first.name, first.password, UserType.SUPER.value)
            users.put(make_user(row))
    if not len(users):
        raise BadPolicy(
            "authenticationEnabled is true, but there is no user; name the first one"
            ' with initAuthenticationUser={"username":"...","password":"..."}'
        )

    def save() -> Deferred[None]:
        file.save(users.dump().encode())
        return file.drain().addCallback(check)

    def check(_result: object) -> None:
        if not file.is_written:
            raise Refused(ResponseCode.SYSTEM_ERROR, "the change cannot be written")

    if users.version != before:
        file.save(users.dump().encode())
    AccessProcessor(users, save).routes(router)
    return users
