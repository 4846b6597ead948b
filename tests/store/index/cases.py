"""What the tests of the index share."""

from rocketmq_tw.store.files.segments import OpenFiles
from rocketmq_tw.store.log.commitlog import CommitLog
from tests.store.cases import SMALL


def cold_log(directory: str) -> CommitLog:
    """Return a log that knows none of its files, so only a thread can read them."""
    return CommitLog(directory, SMALL, OpenFiles())
