"""
Whether the disk of a store keeps what it is given.

A failed fsync is final: the kernel drops the pages that it could not write, so a later
success would mean nothing. Other failures end when a flush succeeds again.
"""

import errno
from collections.abc import Callable, Iterable

from twisted.logger import Logger
from twisted.python.failure import Failure

#: Errors of opening a file that do not mean that the disk failed.
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)


class DiskHealth:
    """
    The failures of one store's disk.

    ``failure`` is the reason why flushing does not work, or None; ``on_failure`` is
    called when it changes. ``is_healthy`` is False once the disk has failed;
    ``on_broken`` is called with the reason then.
    """

    _log = Logger()

    def __init__(
        self,
        *,
        on_failure: Callable[[str | None], None],
        on_broken: Callable[[str], None],
    ) -> None:
        """Begin with a disk that works."""
        self.failure: str | None = None
        self.is_healthy = True
        self._on_failure = on_failure
        self._on_broken = on_broken

    def not_flushed(
        self, failure: Failure, paths: Iterable[str], retry: set[str]
    ) -> Failure:
        """
        Mark the disk as failed for good.

        Running out of file descriptors is different: no fsync was tried, so it is
        retried.
        """
        if getattr(failure.value, "errno", None) in _NO_DESCRIPTOR:
            retry.update(paths)
        elif self.is_healthy:
            self.is_healthy = False
            why = f"the disk failed, it is read-only now: {failure.value}"
            self._set_failure(why)
            self._log.failure(
                "an fsync failed, the disk may be broken; the store refuses messages"
                " until the broker is restarted",
                failure=failure,
            )
            self._on_broken(why)
        return failure

    def failed(self, failure: Failure) -> None:
        """Report a failure until a flush succeeds again."""
        if self.is_healthy:
            self._set_failure(self.failure or str(failure.value))
            self._log.failure("the store cannot be flushed", failure=failure)

    def succeeded(self) -> None:
        """Everything could be written: a failure that was not final is over."""
        if self.failure is not None:
            self._log.info("the store can be written again")
            self._set_failure(None)

    def _set_failure(self, why: str | None) -> None:
        """Set :attr:`failure` and report it."""
        self.failure = why
        self._on_failure(why)
