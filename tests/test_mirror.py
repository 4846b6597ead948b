"""
Every module has a test of its own, in the mirrored place.

``rocketmq_tw/store/log/scan.py`` is tested by ``tests/store/log/test_scan.py``. What is
tested in another place stands here, with that place: a module that is in neither has no
test. Take a module off the list when it gets its own.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw

PACKAGE = Path(rocketmq_tw.__file__).parent
TESTS = Path(__file__).parent

#: Declarations: by their last path, or their folder, and what reads them.
DECLARED = {
    "errors.py": "raised, and read as sentences, where they are raised",
    "config.py": "the settings of a part are read where it is made",
    "admin/results": "read where the methods that return them are tested",
    "wire/requests": "wire/test_requests.py reads and writes every request",
    "wire/bodies": "wire/bodies/test_golden.py reads and writes every body",
}
#: Modules that are tested through what uses them, and have no test of their own.
ELSEWHERE = {
    "admin/doctor/consumers.py": "admin/doctor/test_examination.py",
    "admin/lookup.py": "admin/test_messages.py",
    "admin/doctor/routes.py": "admin/doctor/test_examination.py",
    "tls/__main__.py": "tls/test_check.py",
    "auth/credentials.py": "auth/test_signature.py",
    "broker/access/control.py": "broker/access/test_feature.py",
    "broker/access/processor.py": "broker/access/test_users.py",
    "broker/access/user_checks.py": "broker/access/test_guard.py",
    "wire/binary_header.py": "wire/test_command.py",
    "broker/send/lane_binary.py": "broker/send/test_lane.py",
    "broker/send/lane_forms.py": "broker/send/test_lane.py",
    "model/access.py": "wire/test_rules.py",
    "broker/assignment/feature.py": "broker/assignment/test_processor.py",
    "console/api/live_tail.py": "console/api/test_messages.py",
    "console/api/lists.py": "console/api/test_topics.py",
    "console/parts.py": "console/test_service.py",
    "console/requests.py": "console/test_service.py",
    "console/web/headers.py": "console/web/test_site.py",
    "broker/broker.py": "broker/test_features.py",
    "broker/choices.py": "broker/test_config.py",
    "broker/timer/before.py": "broker/timer/test_acting.py",
    "broker/pop/meter.py": "metrics/broker/test_pops.py",
    "broker/timer/empties.py": "broker/timer/test_service.py",
    "broker/timer/emptying.py": "broker/timer/test_service.py",
    "broker/timer/slots.py": "broker/timer/test_service.py",
    "broker/timer/feature.py": "broker/timer/test_service.py",
    "broker/timer/late.py": "broker/timer/test_service.py",
    "broker/timer/parts.py": "broker/timer/test_service.py",
    "broker/timer/progress.py": "broker/timer/test_opening.py",
    "broker/send/lane_parts.py": "broker/send/test_lane.py",
    "broker/transactions/lane_batch.py": "broker/transactions/test_lane.py",
    "replication/beginning.py": "replication/test_slave.py",
    "replication/peers.py": "remoting/test_peer_log.py",
    "replication/status.py": "replication/test_master.py",
    "model/flush_waiter.py": "store/durability/test_group_commit.py",
    "remoting/in_process.py": "sockets/test_in_process.py",
    "remoting/lane.py": "remoting/test_frames.py",
    "store/queues/fetched.py": "store/queues/test_fetch.py",
    "store/interfaces.py": "store/test_contract.py",
    "store/run.py": "store/test_run_writer.py",
}


def is_declared(module: str) -> bool:
    """Whether a module only declares what others read."""
    return any(
        module == name or module.endswith(f"/{name}") or module.startswith(f"{name}/")
        for name in DECLARED
    )


def own_test(module: Path) -> Path:
    """Return where the test of a module is, if it has one."""
    return TESTS / module.parent / f"test_{module.name}"


class MirrorTests(SynchronousTestCase):
    """No module without a test."""

    def test_every_module(self) -> None:
        """It has its own, or says where it is tested."""
        without = []
        for path in sorted(PACKAGE.rglob("*.py")):
            module = path.relative_to(PACKAGE)
            own = own_test(module)
            listed = module.as_posix() in ELSEWHERE or is_declared(module.as_posix())
            if module.name != "__init__.py" and not own.exists() and not listed:
                without.append(module.as_posix())
        self.assertEqual(without, [])

    def test_elsewhere(self) -> None:
        """The list names modules and tests that there are."""
        modules = [name for name in ELSEWHERE if not (PACKAGE / name).exists()]
        tests = [name for name in ELSEWHERE.values() if not (TESTS / name).exists()]
        self.assertEqual((modules, tests), ([], []))

    def test_no_longer_elsewhere(self) -> None:
        """A module that has a test of its own is not on the list."""
        with_own = [name for name in ELSEWHERE if own_test(Path(name)).exists()]
        self.assertEqual(with_own, [])
