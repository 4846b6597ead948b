"""Turns errors of opening a store into sentences for the operator."""

from twisted.python.failure import Failure

from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.files.slices import Stopped


def explained(failure: Failure, root: str) -> Failure:
    """
    Return the failure, or raise a clearer one.

    :raises StoreNotWriteable: the store was closed while it was being opened.
    :raises StoreUnreadable: the operating system refused to open or read a file.
    """
    error = failure.value
    if isinstance(error, Stopped):
        raise StoreNotWriteable("it was closed while it was being opened")
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        raise StoreUnreadable(str(error.filename or root), why) from error
    return failure
