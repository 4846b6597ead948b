"""Why a store could not be opened, in a sentence."""

from twisted.python.failure import Failure

from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.files.slices import Stopped


def explained(failure: Failure, root: str) -> Failure:
    """
    Return why a store could not be opened.

    :raises StoreNotWriteable: it was closed meanwhile.
    :raises StoreUnreadable: an error of the system, which names the file.
    """
    error = failure.value
    if isinstance(error, Stopped):
        raise StoreNotWriteable("it was closed while it was being opened")
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        raise StoreUnreadable(str(error.filename or root), why) from error
    return failure
