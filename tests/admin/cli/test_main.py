"""The nouns of the command line."""

from __future__ import annotations

import subprocess
import sys
import time

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.main import NOUNS, cli

#: Runs the help, and prints which modules that took.
PROGRAM = """
import sys
from rocketmq_tw.admin.cli.main import cli
cli(["--help"], standalone_mode=False)
print(*sys.modules)
"""


class MainTests(SynchronousTestCase):
    """Help, without any server."""

    def test_help(self) -> None:
        """The nouns and the exit codes are listed, and nothing else is imported."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        text, _, modules = done.stdout.rpartition("\n\n")
        for noun in NOUNS:
            self.assertIn(f"  {noun} ", text)
        self.assertIn("Exit codes: 0 done", done.stdout)
        for heavy in ("twisted", "rich", "rocketmq_tw.client", "asyncio"):
            self.assertNotIn(heavy, done.stdout.split())

    def test_every_command(self) -> None:
        """Each has help, and takes the options of the root."""
        runner = CliRunner()
        for noun in NOUNS:
            found = cli.get_command(None, noun)  # type: ignore[arg-type]
            verbs = getattr(found, "commands", {})
            for words in [[noun], *([noun, verb] for verb in verbs)]:
                result = runner.invoke(cli, [*words, "--help"])
                self.assertEqual(result.exit_code, 0, result.output)
                if len(words) == 2:
                    self.assertIn("--json", result.output)

    def test_full_disk(self) -> None:
        """Help that cannot be written is an error in one line."""
        with open("/dev/full", "w") as full:
            program = "from rocketmq_tw.admin.cli.main import main; main()"
            command = [sys.executable, "-c", program, "-h"]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"error: [Errno 28] No space left on device\n")

    def test_version(self) -> None:
        """It is printed with the name of the program."""
        result = CliRunner().invoke(cli, ["--version"])
        self.assertRegex(result.output, r"^rocketmq-admin \d+\.\d+")
        self.assertEqual(result.exit_code, 0)

    def test_usage(self) -> None:
        """What is no command is a wrong command line."""
        runner = CliRunner()
        for words in (["nothing"], ["topic", "nothing"], ["topic", "show"]):
            self.assertEqual(runner.invoke(cli, words).exit_code, 2)

    def test_misspelt(self) -> None:
        """A noun that is like it is proposed, as verbs are."""
        runner = CliRunner()
        text = runner.invoke(cli, ["topics", "list"]).stderr
        self.assertIn("No such noun 'topics'. Did you mean 'topic'?", text)
        text = runner.invoke(cli, ["nothing"]).stderr
        self.assertIn("No such noun 'nothing'.\n", text)
        text = runner.invoke(cli, ["topic", "lst"]).stderr
        self.assertIn("Did you mean 'list'?", text)

    def test_sentences(self) -> None:
        """The help of a noun has the sentences of its verbs whole."""
        text = CliRunner().invoke(cli, ["group", "-h"], terminal_width=60).output
        self.assertNotIn("...\n", text.replace("[ARGS]...\n", ""))
        self.assertIn("the rest stays as it is.", " ".join(text.split()))

    def test_no_numbers(self) -> None:
        """What is no finite number of seconds is a wrong command line."""
        for words in (
            ("--timeout", "nan", "topic", "list"),
            ("topic", "list", "--watch", "inf"),
            ("doctor", "--wait", "nan"),
            ("message", "send", "T", "x", "--delay", "inf"),
        ):
            result = CliRunner().invoke(cli, words)
            self.assertEqual(result.exit_code, 2, result.output)

    def test_unreachable(self) -> None:
        """Without a name server the exit code is 3, and soon."""
        begin = time.monotonic()
        done = subprocess.run(
            [
                *(sys.executable, "-c"),
                "from rocketmq_tw.admin.cli.main import main; main()",
                *("-n", "127.0.0.1:1", "topic", "list"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("error: no name server responded (127.0.0.1:1", done.stderr)
        self.assertLess(time.monotonic() - begin, 30)
