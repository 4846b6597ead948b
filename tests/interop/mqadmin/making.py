"""Make what the other commands show."""

from __future__ import annotations

from .command import (
    BROKER,
    BUSY,
    CLUSTER,
    GROUP,
    TOPIC,
    differs,
    more,
    same,
)

_WORDS = "the remark names the field, and what it may be"
_POLICY = (
    '{{"type":"EXPONENTIAL","exponentialRetryPolicy":'
    '{{"initial":5000,"max":60000,"multiplier":2}}}}'
)

#: Make what the others show.
MAKING = (
    same(f"updateTopic {CLUSTER} -t {TOPIC} -r 4 -w 4", "106 17", quick=True),
    same(f"updateTopic {BROKER} -t OtherTopic -r 1 -w 1", "17", quick=True),
    same(f"updateTopic {CLUSTER} -t OrderTopic -r 2 -w 2 -o true", "106 17 101 100"),
    same(f"updateTopic {BROKER} -t TypedTopic -a +message.type=FIFO", "17", "v55"),
    more(f"updateTopic {BROKER} -t BadTopic -a +no.such=1", "17", _WORDS, "v55"),
    differs(f"updateTopic {BROKER} -t bad/topic", "17", "the remark has other words"),
    same(f"updateTopicList {BROKER} -f {{dir}}/topics.json", "18", "v55", quick=True),
    same(f"updateTopicList {CLUSTER} -f {{dir}}/topics.json", "106 18", "v55"),
    same(f"updateSubGroup {CLUSTER} -g {GROUP}", "106 200", quick=True),
    same(f"updateSubGroup {BROKER} -g OtherGroup -m true -d true", "200"),
    differs(
        f"updateSubGroup {BROKER} -g TypedGroup --attributes +no.such=1",
        "200",
        _WORDS,
        "v55",
    ),
    same(f"updateSubGroupList {BROKER} -f {{dir}}/groups.json", "225", "v55"),
    same(f"setConsumeMode {BROKER} -t {TOPIC} -g PopGroup -m POP -q 2", "401", "v55"),
    same(f"setConsumeMode {CLUSTER} -t %RETRY%x -g PopGroup -m POP", "401", "v55"),
    same(f"updateTopic {CLUSTER} -t {BUSY} -r 4 -w 4", "106 17", quick=True),
    same(f"updateSubGroup {CLUSTER} -g CloneGroup", "106 200"),
    same(
        f"sendMessage -t {TOPIC} -p hello -k KeyA -c TagA -b {{name}} -i 0",
        "105 310",
        quick=True,
    ),
    same(f"sendMessage -t {TOPIC} -p hello -b {{name}} -i 1 -m true", "105 310", "v55"),
    same(f"sendMessage -t {TOPIC} -p hello -b {{name}} -i 1", "105 310", "v49"),
    same(f"updateTopic {BROKER} -t UnitTopic -r 1 -w 1 -p 4 -u true -s true", "17"),
    same(
        f"updateSubGroup {BROKER} -g FullGroup -s true -m false -d false -q 2 -r 5"
        " -i 0 -w 1 -a true",
        "200",
    ),
    same(
        f"updateSubGroup {BROKER} -g OrderGroup -s false -o true -p {_POLICY}",
        "200",
        "v55",
    ),
    same(f"updateSubGroupList {CLUSTER} -f {{dir}}/groups.json", "106 225", "v55"),
    same(f"updateTopic {BROKER} -t NoSuchPlace -r 0 -w 1", "17"),
    same("updateTopic -c NoSuchCluster -t SomeTopic", "106"),
    same("updateSubGroup -c NoSuchCluster -g SomeGroup", "106"),
)
