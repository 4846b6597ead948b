"""
The script of ``mqadmin`` commands that Apache's servers and ours are given alike.

Every subcommand of both releases is in it, with each of its options. Words in braces
are known only when the servers run; ``{dir}`` is a directory with the files that some
commands read.
"""

from __future__ import annotations

from .access import ACCOUNTS, NORMAL, SIGNED, STRANGE, USERS
from .changing import CHANGING, DELETING
from .lacking import LACKING
from .making import MAKING
from .messages import MESSAGES
from .paired import PAIRED
from .reading import READING, RUNNING_ON

#: What is run on a master alone, once it has messages and a consumer.
ALONE = (*READING, *MESSAGES, *RUNNING_ON, *CHANGING, *LACKING, *DELETING)

SCRIPT = (
    *MAKING,
    *ALONE,
    *PAIRED,
    *USERS,
    *ACCOUNTS,
    *SIGNED,
    *STRANGE,
    *NORMAL,
)
