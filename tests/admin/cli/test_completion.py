"""What makes a shell complete the commands."""

from __future__ import annotations

from click.shell_completion import ShellComplete
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.admin.cli.main import cli


class CompletionTests(SynchronousTestCase):
    """Scripts for shells, and what they ask."""

    def test_scripts(self) -> None:
        """Each shell has its own."""
        for shell in ("bash", "zsh", "fish"):
            result = CliRunner().invoke(cli, ["completion", shell])
            self.assertEqual(result.exit_code, 0)
            self.assertIn("_ROCKETMQ_ADMIN_COMPLETE", result.output)
        self.assertEqual(CliRunner().invoke(cli, ["completion", "csh"]).exit_code, 2)

    def test_zsh_without_completion(self) -> None:
        """A zsh that has set up none does so before it is told what to complete."""
        text = CliRunner().invoke(cli, ["completion", "zsh"]).output
        self.assertLess(text.index("compinit"), text.index("compdef _rocketmq"))

    def completions(self, *words: str) -> list[str]:
        """Return what the last word may become."""
        asked = ShellComplete(cli, {}, "rocketmq-admin", "_X")
        found = asked.get_completions(list(words[:-1]), words[-1])
        return [each.value for each in found]

    def test_words(self) -> None:
        """Nouns, verbs, options and choices are completed."""
        self.assertEqual(self.completions("to"), ["topic"])
        self.assertEqual(self.completions("topic", "st"), ["stats"])
        self.assertEqual(self.completions("group", "reset", "--dr"), ["--dry-run"])
        self.assertEqual(
            self.completions("topic", "create", "T", "--permission", "r"), ["rw", "r"]
        )
