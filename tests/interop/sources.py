"""Programs of Apache's that have no releases: how they are built and started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.ports import free_port

from .program import Process

#: No tests, and no page for browsers, for which Maven would download Node.
_ONLY_JAVA = (
    "-Dmaven.test.skip=true",
    "-Dskip.installnodenpm",
    "-Dskip.npm",
    "-Dmaven.antrun.skip=true",
)


def built(source: str, scratch: Path, pattern: str) -> Path:
    """
    Build a program with Maven; return its jar, with all that it needs.

    :param source: a Git address, or a checkout.
    :param pattern: of the jar's name.
    """
    folder = Path(source)
    if not folder.is_dir():
        folder = scratch / "source"
        _run(["git", "clone", "-q", "--depth", "1", "--", source, str(folder)], scratch)
    _run(["mvn", "-q", "-B", "package", *_ONLY_JAVA], folder)
    [jar] = (folder / "target").glob(pattern)
    return jar


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {(done.stdout + done.stderr)[-3000:]}")


class WebProgram:
    """
    A program of Spring's with a web page, in a process of its own.

    :ivar home: the folder that it takes for its user's.
    """

    def __init__(self, jar: Path, scratch: Path, options: dict[str, object]) -> None:
        self.port = free_port()
        options = {"server.port": self.port, **options}
        words = [f"--{key}={value}" for key, value in options.items()]
        self.home = scratch / f"web-{self.port}"
        java = ["java", "-Xmx512m", f"-Duser.home={self.home}", "-jar", str(jar)]
        self._process = Process([*java, *words], self.home / "errors.log")
        try:
            self._process.wait_for_port(self.port, timeout=120)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End it."""
        self._process.kill()
