"""
Removes the consume queues of deleted topics, without making anybody wait.

A topic may have 65,535 queues, each with a directory and files: to unlink them takes
seconds. So the topic's directory is moved aside, which is one call of the operating
system whatever it holds, and its files are unlinked in a thread. Where a topic of the
same name is created meanwhile, its queues begin in a new directory.

What is moved aside is never read again: a process that ends before all is unlinked
leaves it to the next start. The name ``.deleted`` is no topic, and the names below it
are no queue ids, so Apache RocketMQ ignores them too.
"""

import os
from itertools import count

from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.store.files.disk import Disk
from rocketmq_tw.threads import RunInThread

NAME = ".deleted"


class RemovedTopics:
    """
    The directories of deleted topics, below the directory of the queues.

    Only :meth:`take` runs in the reactor's thread; :meth:`remove_all` blocks. It ends
    early once ``is_stopped`` is set.
    """

    def __init__(self, queues: str, disk: Disk) -> None:
        """:param queues: the directory of all consume queues."""
        self.directory = os.path.join(queues, NAME)
        self._queues = queues
        self._disk = disk
        self._numbers = count()
        self.is_stopped = False

    def take(self, path: str) -> None:
        """
        Move the directory of a topic aside.

        :raises OSError: it is where it was.
        """
        while True:
            os.makedirs(self.directory, exist_ok=True)
            aside = os.path.join(self.directory, f"topic-{next(self._numbers)}")
            if os.path.exists(aside):
                continue
            try:
                self._disk.rename(path, aside)
            except FileNotFoundError:
                if os.path.isdir(self.directory):
                    raise
                # remove_all() has just found it empty.
            else:
                return

    def remove_all(self) -> None:
        """
        Unlink all that was moved aside; blocks, and ends early after :meth:`stop`.

        :raises OSError: something is left to the next call.
        """
        if not os.path.isdir(self.directory):
            return
        # The moves come first: after a power cut a topic is complete, or gone.
        self._disk.fsync([self.directory, self._queues])
        self._empty(self.directory)
        if not self.is_stopped:
            try:
                os.rmdir(self.directory)
            except OSError:
                return  # another topic was deleted meanwhile

    def stop(self) -> None:
        """Let :meth:`remove_all` end; the next start continues."""
        self.is_stopped = True

    def _empty(self, directory: str) -> None:
        """Remove everything in a directory."""
        with os.scandir(directory) as found:
            entries = [
                (entry.path, entry.is_dir(follow_symlinks=False)) for entry in found
            ]
        for path, is_directory in entries:
            if self.is_stopped:
                return
            if is_directory:
                self._empty(path)
                if not self.is_stopped:
                    os.rmdir(path)
            else:
                self._disk.remove(path)


class RemovalService:
    """Unlinks in a thread what was moved aside, now and by an earlier run."""

    _log = Logger()

    def __init__(self, removed: RemovedTopics, run_in_thread: RunInThread) -> None:
        """Nothing runs before :meth:`start`."""
        self._removed = removed
        self._run_in_thread = run_in_thread
        self._is_running = False
        self._is_wanted = False

    def start(self) -> None:
        """Unlink everything that is aside; what is moved there meanwhile too."""
        self._is_wanted = True
        if self._is_running or not os.path.isdir(self._removed.directory):
            return
        self._is_running, self._is_wanted = True, False
        self._run_in_thread(self._removed.remove_all).addBoth(self._ended)

    def stop(self) -> None:
        """Unlink no more; the next start continues."""
        self._removed.stop()

    def _ended(self, result: object) -> None:
        """Report a failure, and begin again if another topic was deleted."""
        self._is_running = False
        if isinstance(result, Failure):
            self._log.error(
                "the queues of deleted topics in {path} were not removed: {why};"
                " the next start tries again",
                path=self._removed.directory,
                why=result.getErrorMessage(),
            )
        elif self._is_wanted and not self._removed.is_stopped:
            self.start()
