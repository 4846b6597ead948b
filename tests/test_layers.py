"""
The walls between the packages, read from the imports.

1. A package imports only those below it.
2. The packages that know only bytes and values import neither Twisted nor the world.
3. Only the store and the JSON file open files.
4. Only taps import the global reactor, inside a function; only ``clock`` names
   ``time.time``, and few modules ask it for the time of day.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import rocketmq_tw

ROOT = Path(rocketmq_tw.__file__).parent

_BOTTOM = {"model"}
_TIME = {"clock"}
_WIRE = _BOTTOM | {"wire"}
_PARTS = (
    _WIRE
    | {"access", "auth", "jsonfile", "settings", "tls", "remoting", "threads"}
    | {"lazy_exports", "metrics_settings", "log_settings"}
    | _TIME
)
#: What each package may import, besides itself.
BELOW = {
    "model": set(),
    "wire": _BOTTOM,
    "filter": _BOTTOM,
    "auth": _BOTTOM,
    "jsonfile": _WIRE,
    "settings": _WIRE,
    "clock": set(),
    "garbage": set(),
    "threads": set(),
    "lazy_exports": set(),
    "store": _WIRE | _TIME | {"threads"},
    "tls": _WIRE | _TIME | {"settings"},
    "remoting": _WIRE | _TIME | {"tls"},
    "log_settings": {"logs"},
    "logs": {"log_settings"},
    "metrics_settings": _WIRE | {"settings", "remoting"},
    "access": _WIRE | {"auth", "jsonfile", "settings", "remoting", "threads"},
    "replication": _WIRE | {"store"},
    "namesrv": _PARTS,
    "client": _PARTS | {"filter"},
    "broker": _PARTS | {"filter", "store", "replication"},
    "metrics": _PARTS | {"namesrv", "broker", "store"},
    "admin": _PARTS | {"client"},
    "console": _PARTS | {"client", "admin"},
    "aio": _PARTS | {"client", "admin"},
}
#: Programs and test doubles assemble; they may import all.
FREE = {"testing", "tap", "__init__"}

PURE = {"model", "wire", "filter", "auth"}
WORLD = {"twisted", "time", "random", "socket", "os", "pathlib", "asyncio"}

#: Where files may be opened: a directory, or a module.
OPENERS = {"store", "jsonfile", "settings", "tls"}
_OPENING = {"openat", "mkstemp", "NamedTemporaryFile", "TemporaryFile", "mmap"}
_READING = {"read_bytes", "read_text", "write_bytes", "write_text"}

#: Where endpoints may be made.
ENDPOINTS = {"remoting", "replication", "testing"}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Give the package, path and syntax tree of every module."""
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT)
        package = inside.parts[0] if len(inside.parts) > 1 else inside.stem
        yield package, path, ast.parse(path.read_text(), str(path))


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give the full name and line of all that is imported, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import in line {node.lineno}"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give the name and line of all that is called, methods by their last name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name):
                yield called.id, node.lineno
            elif isinstance(called, ast.Attribute):
                yield f".{called.attr}", node.lineno


class LayerTests(SynchronousTestCase):
    """Who may import whom."""

    def test_every_package_is_listed(self) -> None:
        """A new package says where it stands."""
        found = {package for package, _, _ in modules()}
        self.assertEqual(found - set(BELOW) - FREE, set())

    def test_only_downwards(self) -> None:
        """Nobody imports what stands beside or above."""
        wrong = []
        for package, path, tree in modules():
            if package in FREE or path.stem == "tap":
                continue
            allowed = BELOW.get(package, set()) | {package}
            for name, line in imports(tree):
                parts = name.split(".")
                if parts[0] == "rocketmq_tw" and parts[1] not in allowed:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
        self.assertEqual(wrong, [])

    def test_taps_stay_in_their_room(self) -> None:
        """A part's tap assembles that part alone."""
        wrong = []
        for package, path, tree in modules():
            if path.stem != "tap" or package in FREE:
                continue
            others = {"namesrv", "broker", "client"} - {package}
            for name, line in imports(tree):
                if name.startswith("rocketmq_tw.") and name.split(".")[1] in others:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
        self.assertEqual(wrong, [])


class WorldTests(SynchronousTestCase):
    """Who may touch the world."""

    def test_pure(self) -> None:
        """Bytes and values know neither Twisted nor time, chance, sockets or files."""
        wrong = [
            f"{path.relative_to(ROOT)}:{line} imports {name}"
            for package, path, tree in modules()
            if package in PURE
            for name, line in imports(tree)
            if name.split(".")[0] in WORLD
        ]
        self.assertEqual(wrong, [])

    def test_files(self) -> None:
        """Only the store, and the modules of one file each, open files."""
        wrong = []
        for package, path, tree in modules():
            if package in OPENERS:
                continue
            for name, line in calls(tree):
                method = name[1:] if name[0] == "." else ""
                if name == "open" or method in _OPENING | _READING:
                    wrong.append(f"{path.relative_to(ROOT)}:{line} calls {name}")
        self.assertEqual(wrong, [])

    def test_reactor(self) -> None:
        """Only taps import the global reactor, inside a function."""
        wrong = []
        for _, path, tree in modules():
            inside = path.stem == "tap"
            top = {line for node in tree.body for _, line in _top_imports(node)}
            for name, line in imports(tree):
                if name == "twisted.internet.reactor" and (not inside or line in top):
                    wrong.append(f"{path.relative_to(ROOT)}:{line}")
        self.assertEqual(wrong, [])

    def test_endpoints(self) -> None:
        """Only the layers of connections, and the taps, make endpoints."""
        wrong = [
            f"{path.relative_to(ROOT)}:{line} imports {name}"
            for package, path, tree in modules()
            if package not in ENDPOINTS and path.stem != "tap"
            for name, line in imports(tree)
            if name.startswith("twisted.internet.endpoints.")
            or name.startswith("twisted.application.strports")
        ]
        self.assertEqual(wrong, [])

    def test_clock(self) -> None:
        """Only one module reads the time of day; the others ask it."""
        wrong = [
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for _, path, tree in modules()
            for node in ast.walk(tree)
            if reads_time_of_day(node) and path != ROOT / "clock.py"
        ]
        self.assertEqual(wrong, [])

    def test_programs(self) -> None:
        """Whatever makes services of the global reactor sets its clock first."""
        programs = [*ROOT.rglob("tap.py"), *(ROOT.parent / "tac").glob("*.tac")]
        for path in programs:
            text = path.read_text()
            if "import reactor" in text:
                made = text.index("Service(", text.index("import reactor"))
                self.assertIn("use_monotonic_time(reactor)", text[:made], path)

    def test_reads_time_of_day(self) -> None:
        """What the gate finds, and what it lets through."""
        for text, expected in (
            ("time.time()", True),
            ("now = time.time_ns", True),
            ("from time import time", True),
            ("datetime.now()", True),
            ("datetime.datetime.utcnow()", True),
            ("date.today()", True),
            ("time.localtime()", True),
            ("time.localtime(now)", False),
            ("time.strftime('%Y')", True),
            ("time.strftime('%Y', then)", False),
            ("time.monotonic()", False),
            ("runtime.seconds()", True),
            ("clock.seconds()", False),
        ):
            found = any(reads_time_of_day(node) for node in ast.walk(ast.parse(text)))
            self.assertEqual(found, expected, text)

    def test_time_of_day(self) -> None:
        """
        Few modules need it: for what is stored, shown or compared with the calendar.

        A period, a time-out, an age or a deadline is measured by ``clock.seconds()``.
        """
        users = {
            path.relative_to(ROOT).as_posix()
            for _, path, tree in modules()
            for name, _ in imports(tree)
            if name == "rocketmq_tw.clock.wall_time"
        }
        self.assertEqual(users, TIME_OF_DAY)


#: The modules that need the time of day, each for one of these reasons.
TIME_OF_DAY = {
    # compared with the clocks of brokers
    "admin/cluster.py",
    # the axis of plots
    "console/history/sampler.py",
    # so long ago, as people say where a group continues
    "admin/cli/message.py",
    "admin/resets.py",
    # what is stored from now on
    "admin/tail.py",
    # versions of tables
    "broker/tables/groups.py",
    "broker/tables/offsets.py",
    "broker/tables/topics.py",
    "client/consumer/subscriptions.py",
    # times in messages: stored, born, due
    "remoting/protocol.py",
    "client/producer/context.py",
    "client/replies/outstanding.py",
    "metrics/broker/transactions.py",
    # times in traces
    "client/trace/made.py",
    "broker/delay/level.py",
    "broker/delay/schedule.py",
    "broker/timer/acting.py",
    "broker/timer/late.py",
    "broker/timer/parts.py",
    "broker/timer/service.py",
    # when something was popped, in receipts and check points
    "broker/pop/feature.py",
    # windows of time in which keys are known
    "broker/dedupe/feature.py",
    "broker/transactions/feature.py",
    # unique keys of messages and names of files, which contain a time
    "broker/send/feature.py",
    "client/identity.py",
    "store/index/builder.py",
    # the age of files, and the hour in which they are deleted
    "store/durability/retention.py",
    # whether a certificate is valid now
    "remoting/tls.py",
    # when something came from a master, shown to people
    "broker/replication.py",
    # the time of the start and the days of statistics, shown to people
    "broker/stats.py",
    "client/consumer/control.py",
    # when the program started, and the age of messages, shown to people
    "metrics/service.py",
    "metrics/broker/lag.py",
    "metrics/broker/storage.py",
    "metrics/broker/pops.py",
    "metrics/broker/timer.py",
    # a test double
    "testing/reactor.py",
}

_NOW = {("time", "time"), ("time", "time_ns"), ("runtime", "seconds")}
_NOW |= {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today")}
_NOW |= {("date", "today")}
#: Functions of ``time`` that take the time of day if they get so few arguments.
_TAKES_NOW = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1, "asctime": 0}


def reads_time_of_day(node: ast.AST) -> bool:
    """Return whether this reads the time of day, or imports what does."""
    if isinstance(node, ast.ImportFrom):
        return any((node.module, alias.name) in _NOW for alias in node.names)
    if isinstance(node, ast.Attribute):
        owner = node.value
        name = owner.attr if isinstance(owner, ast.Attribute) else None
        name = owner.id if isinstance(owner, ast.Name) else name
        return (name, node.attr) in _NOW
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        is_time = isinstance(node.func.value, ast.Name) and node.func.value.id == "time"
        return is_time and len(node.args) <= _TAKES_NOW.get(node.func.attr, -1)
    return False


def _top_imports(node: ast.stmt) -> Iterator[tuple[str, int]]:
    """Give the imports that run when the module is imported."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from imports(node)


def public(node: ast.Module | ast.ClassDef) -> Iterator[Any]:
    """Give a module or class, and what is public in it; not what is in functions."""
    yield node
    for inner in node.body:
        if isinstance(inner, ast.ClassDef):
            yield from public(inner)
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inner


def packed_arguments(function: ast.AST) -> Iterator[int]:
    """Give the lines of calls with a tuple literal, or a local one, after a star."""
    tuples = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        for argument in node.args:
            value = argument.value if isinstance(argument, ast.Starred) else None
            local = isinstance(value, ast.Name) and value.id in tuples
            if local or isinstance(value, ast.Tuple):
                yield node.lineno


class SizeTests(SynchronousTestCase):
    """How large things may grow."""

    def test_files(self) -> None:
        """No module is longer than 400 lines."""
        wrong = [
            f"{path.relative_to(ROOT)} has {lines} lines"
            for _, path, _ in modules()
            if (lines := len(path.read_text().splitlines())) > 400
        ]
        self.assertEqual(wrong, [])

    def test_functions(self) -> None:
        """No function is longer than 50 lines, its docstring left out."""
        wrong = []
        for _, path, tree in modules():
            for node in ast.walk(tree):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                start = node.body[0]
                if ast.get_docstring(node) is not None and len(node.body) > 1:
                    start = node.body[1]
                lines = (node.end_lineno or 0) - start.lineno + 1
                if lines > 50:
                    wrong.append(
                        f"{path.relative_to(ROOT)}:{node.lineno} {lines} lines"
                    )
        self.assertEqual(wrong, [])

    def test_arguments(self) -> None:
        """No call is handed a tuple packed for it: each argument is named."""
        wrong = []
        for _, path, tree in modules():
            for function in ast.walk(tree):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    wrong += [
                        f"{path.relative_to(ROOT)}:{line}"
                        for line in packed_arguments(function)
                    ]
        self.assertEqual(wrong, [])

    def test_docstrings(self) -> None:
        """Every module, public class and public function says what it is for."""
        wrong = []
        for _, path, tree in modules():
            for node in public(tree):
                name = getattr(node, "name", path.stem)
                if not name.startswith("_") and ast.get_docstring(node) is None:
                    wrong.append(f"{path.relative_to(ROOT)} {name}")
        self.assertEqual(wrong, [])
