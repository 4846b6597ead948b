"""What an output of ``mqadmin`` is without all that is different each time."""

from __future__ import annotations

import re

#: What is different each time, and what stands for it.
_MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\S*/[^\s\"]*(lab|adm)[^\s\"]*", "<path>"),
        (r"\d+\.\d+\.\d+\.\d+@[\w#@.-]+", "<client>"),
        (r"/?\d+\.\d+\.\d+\.\d+(:\d+)?", "<address>"),
        (r"\b[0-9A-F]{32,}\b", "<id>"),
        (r"(originalMsgId=)[0-9A-F]+", r"\1<id>"),
        # An object of Java, and not an offset that has as many digits.
        (r"(\$\$Lambda)\S*|(?<=[a-z$])@[0-9a-f]{5,8}\b", r"\1@<hash>"),
        (r"\d{4}-\d\d-\d\d[ #T]\d\d:\d\d:\d\d([,:.]\d+)?", "<time>"),
        # Those of a broker that has just started are not all there yet.
        (r"((putMessageDistributeTime|\w+Tps)\s*:).*", r"\1 <figures>"),
        (r"(remainHowManyDataToFlush\s*: )\S+ \w+", r"\1<size>"),
        (r"-?\d+(\.\d+)?([eE]-?\d+)?", "#"),
        # What brokers of 5.x add to messages, and those of 4.9 do not.
        (r"(TRACE_ON|MSG_REGION|WAIT)=\w+(, )?", ""),
        (r"storeSize=\d+", ""),
        (r", }", "}"),
        (r"\s+", " "),
    )
)
#: The empty queue of the retry topic, whose offset is committed up to a minute after
#: those of the group's topic; groups of the tools, which are there if these ran long
#: enough for a heartbeat; links to pages of help; what a client's threads do at that
#: moment; and lines of stack traces and of the logs of libraries.
_NOISE = re.compile(
    r"^%RETRY%\S+\s+\S+\s+\d+\s+(-?\d+|ProcessQueueInfo.*|.*\sN/A)\s*$"
    r"|^(TOOLS|__MONITOR)_CONSUMER\s"
    r"|^See http\S+ for further details\.|^For more information, please visit the url"
    r"|TID: \d+ STATE: |(app//|java\.base@)\S+\("
    r"|^\s+at |^\s*\.\.\. \d+ more"
    r"|^\d\d:\d\d:\d\d\.\d+ |^SLF4J|^RocketMQLog"
)


def shape(printed: str) -> list[str]:
    """Return the lines of an output, each once, without what differs each time."""
    lines = set()
    for line in printed.splitlines():
        if _NOISE.search(line):
            continue
        for pattern, mask in _MASKS:
            line = pattern.sub(mask, line)
        lines.add(line.strip())
    lines.discard("")
    return sorted(lines)
