"""The servers that are compared, started side by side and warmed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from tests.bench import servers
from tests.bench.apache import ApacheBroker
from tests.bench.load import AS_IT_IS, LoadGenerator, Parameters, Shape
from tests.bench.rates import APACHE, FLOOR, OURS
from tests.bench.running import Running, folder, stopping

#: Seconds for which servers that compile nothing while they run are warmed.
SHORT_WARM = 1.0


@contextmanager
def sides(apache: str | None, *, is_sync: bool) -> Iterator[dict[str, Running]]:
    """
    Start the servers: Apache's first, if it is asked for, and the floor last.

    :param apache: one of ``tests.interop.apache.RELEASES``; None without Apache.
    :param is_sync: whether senders wait for the disk.
    """
    conf = {"flushDiskType": "SYNC_FLUSH" if is_sync else "ASYNC_FLUSH"}
    found: dict[str, Running] = {}
    with ExitStack() as stack:
        scratch = stack.enter_context(folder())
        if apache:
            broker = ApacheBroker(apache, scratch, **conf)
            found[APACHE] = stack.enter_context(stopping(broker))
        own = servers.ours(scratch / "ours", conf={"defaultTopicQueueNums": 4, **conf})
        found[OURS] = stack.enter_context(stopping(own))
        floor = servers.floor(*(["--sync"] if is_sync else []))
        found[FLOOR] = stack.enter_context(stopping(floor))
        yield found


def warm(
    load: LoadGenerator,
    ports: Mapping[str, int],
    shapes: Sequence[Shape],
    seconds: float,
    topic: str,
    *,
    parameters: Parameters = AS_IT_IS,
) -> None:
    """
    Drive each server with all shapes; Apache's so long that all is compiled.

    :param ports: of the servers; the names of Apache's begin so.
    :param parameters: how each is driven beside that.
    """
    for name, port in ports.items():
        whole = seconds if name.startswith(APACHE) else min(seconds, SHORT_WARM)
        more = parameters.get(name, {})
        for shape in shapes:
            load.drive(shape, port, whole / len(shapes), topic=topic, **more)
