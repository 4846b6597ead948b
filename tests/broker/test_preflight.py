"""What is checked of a broker's store and ports before it becomes a daemon."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.preflight import check_broker
from rocketmq_tw.remoting.listen_errors import PortTaken
from rocketmq_tw.store.errors import StoreLocked, StoreUnreadable
from rocketmq_tw.store.files.lock import StoreLock
from tests.ports import free_port


class StoreTests(SynchronousTestCase):
    """The store's folder."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def check(self, folder: Path, in_chroot: bool = False) -> None:
        """Check a broker that has its files there."""
        config = BrokerConfig(store_path_root_dir=str(folder), listen_port=0)
        check_broker(config, in_chroot)

    def test_passes(self) -> None:
        """A folder, and one that can be made, pass; nothing is made."""
        self.check(self.folder)
        self.check(self.folder / "a" / "b")
        self.assertEqual(os.listdir(self.folder), [])

    def test_file(self) -> None:
        """A file stands in the way, or a link to nothing; it is named."""
        (self.folder / "file").write_text("")
        (self.folder / "link").symlink_to("nowhere")
        for name in ("file", "link"):
            path = self.folder / name
            for wanted in (path, path / "a"):
                error = self.assertRaises(StoreUnreadable, self.check, wanted)
                self.assertEqual(
                    (error.path, error.why), (str(path), "it is not a folder")
                )

    def test_no_permission(self) -> None:
        """The folder that this user may not use is named."""
        asked: list[tuple[str, int]] = []

        def access(path: str, mode: int) -> bool:
            asked.append((path, mode))
            return False

        # Root may do everything, so that real permissions would not fail there.
        self.patch(os, "access", access)
        for wanted in (self.folder, self.folder / "a" / "b"):
            error = self.assertRaises(StoreUnreadable, self.check, wanted)
            self.assertEqual(error.path, str(self.folder))
        need = os.W_OK | os.X_OK
        path = str(self.folder)
        self.assertEqual(asked, [(path, os.R_OK | need), (path, need)])

    def test_locked(self) -> None:
        """Another broker has the store open; its lock stays."""
        lock = StoreLock(str(self.folder / "lock"))
        lock.acquire()
        self.addCleanup(lock.release)
        self.assertRaises(StoreLocked, self.check, self.folder)
        self.assertRaises(StoreLocked, self.check, self.folder)

    def test_unlocked(self) -> None:
        """A lock that is free is free afterwards."""
        (self.folder / "lock").write_text("lock")
        self.check(self.folder)
        self.check(self.folder)

    def test_lock_is_no_file(self) -> None:
        """A lock that cannot be opened is an error of the store."""
        (self.folder / "lock").mkdir()
        self.assertRaises(StoreUnreadable, self.check, self.folder)

    def test_not_checked(self) -> None:
        """Paths that will mean something else pass, and brokers in memory."""
        (self.folder / "file").write_text("")
        self.check(self.folder / "file", in_chroot=True)
        folder = str(self.folder / "file")
        check_broker(
            BrokerConfig(store_path_root_dir=folder, listen_port=0, memory_store_size=1)
        )


class PortTests(SynchronousTestCase):
    """Both ports of a broker."""

    def test_taken(self) -> None:
        """The main port and the fast one below it are tried."""
        number = free_port()
        with socket.create_server(("127.0.0.1", number)):
            for port in (number, number + 2):
                config = BrokerConfig(
                    store_path_root_dir=self.mktemp(),
                    listen=f"tcp:{port}:interface=127.0.0.1",
                    listen_port=port,
                )
                error = self.assertRaises(PortTaken, check_broker, config)
                self.assertIn(f"port {number} of 127.0.0.1", str(error))
