"""What tests of commands begin with: a cluster in memory on which they run."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from click.testing import CliRunner, Result

from rocketmq_tw.admin import AdminClient
from rocketmq_tw.admin.cli.invocation import Surroundings
from rocketmq_tw.admin.cli.main import cli
from rocketmq_tw.admin.cli.options import Target
from rocketmq_tw.admin.cli.running import Work
from tests.admin.cases import AdminCase


class CommandCase(AdminCase):
    """
    A cluster in memory, and commands that run on it.

    :ivar target: which cluster the last command was for.
    :cvar environment: what commands find in theirs.
    """

    terminal = False
    environment: ClassVar[dict[str, str]] = {}
    target: Target | None = None

    def invoke(
        self, *words: str, stdin: str | bytes | None = None, colours: bool = False
    ) -> Result:
        """Run a command; words are its arguments."""

        def run(target: Target, work: Work) -> int:
            self.target = target
            reactor = self.cluster.network.reactor("10.0.4.1")
            names = self.cluster.name_server_addresses
            who = target.credentials
            admin = AdminClient(reactor, names, timeout=target.timeout, credentials=who)

            async def all_of_it() -> int:
                try:
                    return await work(admin)
                finally:
                    await admin.stop()

            return self.run_admin(all_of_it())

        around = Surroundings(run, terminal=self.terminal, colours=colours)
        runner = CliRunner(env={"HOME": "/nonexistent", **self.environment})
        return runner.invoke(
            cli, list(words), input=stdin, obj=around, catch_exceptions=False
        )

    def output(self, *words: str, code: int = 0, **options: Any) -> str:
        """Run a command; return what it printed, once the exit code is checked."""
        result = self.invoke(*words, **options)
        self.assertEqual(result.exit_code, code, result.output)
        return result.stdout

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with ``--json``; return what it printed."""
        return msgspec.json.decode(self.output(*words, "--json", code=code))

    def error(self, *words: str, code: int = 1, **options: Any) -> str:
        """Run a command that fails; return what it says."""
        result = self.invoke(*words, **options)
        self.assertEqual(result.exit_code, code, result.output)
        return result.stderr
