"""Look for messages, and send some."""

from __future__ import annotations

from .command import BUSY, CLUSTER, GROUP, TOPIC, differs, more, same

_PERIOD = "2020-01-01#00:00:00:000", "2040-01-01#00:00:00:000"
_BETWEEN = f"-b {_PERIOD[0]} -e {_PERIOD[1]}"
_BETWEEN_MS = "-b 1577836800000 -e 2208988800000"
_BEFORE_MS = "-b 0 -e 1577836800000"
_TRACKED = "300 203 208"
_BY_QUEUE = f"printMsgByQueue -t {TOPIC} -a {{name}} -i 0 -c UTF-8"
_WORDS = "the remark has the words of 5.x"
_LAST = (
    "for a time behind all messages 4.9 says where the last one is, 5.x what follows"
)

MESSAGES = (
    same(f"queryMsgById -i {{offsetId}} -t {TOPIC}", f"33 {_TRACKED}", "v55", True),
    same("queryMsgById -i {offsetId}", f"33 {_TRACKED}", "v49"),
    same(
        f"queryMsgById -i {{offsetId}} -t {TOPIC} -f UTF-8 {CLUSTER}",
        f"33 {_TRACKED}",
        "v55",
    ),
    same(
        f"queryMsgById -i {{offsetId}} -t {TOPIC} -g {GROUP} -d {{client}}",
        "12 309",
        "v55",
    ),
    same(f"queryMsgById -i {{offsetId}} -g {GROUP} -d {{client}}", "33 309", "v49"),
    same(f"queryMsgById -i {{missingId}} -t {TOPIC}", "33", "v55"),
    differs("queryMsgById -i {missingId}", "33", _WORDS, "v49"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA", "105 12", quick=True),
    same(f"queryMsgByKey -t {TOPIC} -k NoSuchKey", "105 12"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA {_BETWEEN_MS} -m 1", "105 12", "v55"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA {_BEFORE_MS}", "105 12", "v55"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA {CLUSTER}", "105 12", "v55"),
    same(f"queryMsgByKey -t {TOPIC} -k KeyA -p K", "105 12", "v55"),
    same(f"queryMsgByKey -t {TOPIC} -k TagA -p T", "105 12", "v55"),
    same(f"queryMsgByKey -t {TOPIC} -k TagA -p T -l some", "105 12", "v55"),
    same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}}", f"12 {_TRACKED}"),
    same(f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}} -a", "12"),
    same(
        f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}} {CLUSTER}"
        " -s 1577836800000 -e 2208988800000",
        f"12 {_TRACKED}",
        "v55",
    ),
    same(
        f"queryMsgByUniqueKey -t {TOPIC} -i {{uniqueId}} -g {GROUP} -d {{client}}",
        "307 12 309",
    ),
    same(f"queryMsgByUniqueKey -t {TOPIC} -i {'0' * 32}", "12"),
    same(f"queryMsgByOffset -t {TOPIC} -b {{name}} -i 0 -o 0", f"105 11 {_TRACKED}"),
    same(
        f"queryMsgByOffset -t {TOPIC} -b {{name}} -i 0 -o 0 -f UTF-8 -r {TOPIC}",
        f"105 11 {_TRACKED}",
        "v55",
    ),
    same(f"queryMsgByOffset -t {TOPIC} -b {{name}} -i 0 -o 999", "105 11"),
    same("queryMsgTraceById -i {tracedId}", "105 12"),
    same(
        f"queryMsgTraceById -i {{tracedId}} -t RMQ_SYS_TRACE_TOPIC {_BETWEEN_MS} -c 9",
        "105 12",
        "v55",
    ),
    same("queryMsgTraceById -i {tracedId} -t RMQ_SYS_TRACE_TOPIC", "105 12", "v49"),
    same(f"printMsg -t {TOPIC}", "105 31 30 11"),
    same(f"printMsg -t {TOPIC} -s TagA -d false", "105 31 30 11"),
    same(f"printMsg -t {TOPIC} -l {TOPIC}", "105 31 30 11", "v55"),
    same(f"printMsg -t {TOPIC} -c UTF-8 {_BETWEEN}", "105 29 11", "v55"),
    more(f"printMsg -t {TOPIC} -c UTF-8 {_BETWEEN}", "105 29 11", _LAST, "v49"),
    same(f"printMsgByQueue -t {TOPIC} -a {{name}} -i 0 -p true", "105 31 30 11"),
    same(f"{_BY_QUEUE} -p true -d true -s TagA {_BETWEEN}", "105 29 11", "v55"),
    more(f"{_BY_QUEUE} -p true -d true -s TagA {_BETWEEN}", "105 29 11", _LAST, "v49"),
    same(f"printMsgByQueue -t {TOPIC} -a {{name}} -i 0 -f true", "105 31 30 11"),
    same(f"consumeMessage -t {TOPIC} -c 2", "105 31 30 11"),
    same(f"consumeMessage -t {TOPIC} -b {{name}} -i 0 -o 0 -c 1", "105 11"),
    same(
        f"consumeMessage -t {TOPIC} -g Readers -c 2 -s {_PERIOD[0]} -e {_PERIOD[1]}",
        "105 29 11",
    ),
    same(f"sendMessage -t {BUSY} -p traced -b {{name}} -i 0 -m true", "105 310", "v49"),
    same("sendMsgStatus -b {name} -c 2 -s 8", "105 310"),
    same(f"checkMsgSendRT -t {TOPIC} -a 2 -s 8", "105 310"),
    # The copy goes to a queue by chance.
    same(f"queryMsgById -i {{busyId}} -t {BUSY} -s true", "33 310", "v55"),
    same(f"queryMsgById -i {{busyId}} -t {BUSY} -s true -u unit", "33 310", "v55"),
    same("queryMsgById -i {busyId} -s true -u unit", "33 310", "v49"),
)
