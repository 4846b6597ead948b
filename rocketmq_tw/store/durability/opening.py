"""
Opening a store: loading its files and recovering, and telling why that failed.
"""

from collections.abc import Callable, Iterator

from twisted.python.failure import Failure

from rocketmq_tw.store.config import StoreConfig
from rocketmq_tw.store.durability.checkpoint import StoreCheckpoint
from rocketmq_tw.store.durability.queue_progress import QueueProgress
from rocketmq_tw.store.durability.recovery import Recovery
from rocketmq_tw.store.errors import StoreNotWriteable, StoreUnreadable
from rocketmq_tw.store.files.lock import AbortFile
from rocketmq_tw.store.files.slices import Stopped
from rocketmq_tw.store.log.commitlog import CommitLog
from rocketmq_tw.store.queues.dispatch import Dispatcher
from rocketmq_tw.store.queues.table import ConsumeQueues


def recovered(
    log: CommitLog,
    queues: ConsumeQueues,
    dispatcher: Dispatcher,
    checkpoint: StoreCheckpoint,
    progress: QueueProgress,
    abort: AbortFile,
    config: StoreConfig,
    now: Callable[[], float],
) -> Iterator[None]:
    """
    Load and recover a store, a slice of work with each step.

    ``abort`` is made before anything is changed.

    :raises StoreUnreadable: a file is not what it should be; nothing was changed.
    """
    was_aborted = abort.exists()
    progress.known.load()
    log.load(may_be_cut=progress.known.is_known)
    checkpoint.load()
    recovery = Recovery(
        log, queues, dispatcher, checkpoint, progress.known, config, now
    )
    yield from recovery.load(was_aborted)
    abort.create()
    yield from recovery.run()
    progress.begin()


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
