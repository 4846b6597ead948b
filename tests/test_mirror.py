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
    "wire/requests": "wire/test_requests.py reads and writes every request",
    "wire/bodies": "wire/bodies/test_golden.py reads and writes every body",
}
#: Modules that are tested through what uses them.
ELSEWHERE = {
    "broker/broker.py": "broker/test_service.py",
    "broker/delay/feature.py": "broker/delay/test_schedule.py",
    "broker/name_server_link.py": "broker/test_registration.py",
    "broker/pull/feature.py": "broker/pull/test_processor.py",
    "broker/send/feature.py": "broker/send/test_processor.py",
    "remoting/state.py": "remoting/test_protocol.py",
    "store/durability/group_commit.py": "store/durability/test_flush.py",
    "store/assemble.py": "store/test_message_store.py",
    "store/index/builder.py": "store/index/test_service.py",
    "store/index/files.py": "store/index/test_service.py",
    "store/index/search.py": "store/index/test_service.py",
    "store/interfaces.py": "store/test_contract.py",
    "store/queues/load.py": "store/durability/test_recovery.py",
    "store/queues/table.py": "store/queues/test_consumequeue.py",
    "store/reading.py": "store/test_contract.py",
}


def is_declared(module: str) -> bool:
    """Whether a module only declares what others read."""
    return any(
        module == name or module.endswith(f"/{name}") or module.startswith(f"{name}/")
        for name in DECLARED
    )


class MirrorTests(SynchronousTestCase):
    """No module without a test."""

    def test_every_module(self) -> None:
        """It has its own, or says where it is tested."""
        without = []
        for path in sorted(PACKAGE.rglob("*.py")):
            module = path.relative_to(PACKAGE)
            own = TESTS / module.parent / f"test_{module.name}"
            listed = module.as_posix() in ELSEWHERE or is_declared(module.as_posix())
            if module.name != "__init__.py" and not own.exists() and not listed:
                without.append(module.as_posix())
        self.assertEqual(without, [])

    def test_elsewhere(self) -> None:
        """The list names modules and tests that there are."""
        modules = [name for name in ELSEWHERE if not (PACKAGE / name).exists()]
        tests = [name for name in ELSEWHERE.values() if not (TESTS / name).exists()]
        self.assertEqual((modules, tests), ([], []))
