"""``rocketmq-admin completion``: what makes a shell complete the commands."""

from __future__ import annotations

import click

_HELP = """\
Print what makes a shell complete the commands.

\b
bash:  eval "$(rocketmq-admin completion bash)"  in ~/.bashrc
zsh:   eval "$(rocketmq-admin completion zsh)"   in ~/.zshrc
"""
#: What a zsh lacks whose user has set up no completion yet.
_ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
"""


def _print(shell: str) -> None:
    """Print the script of a shell."""
    from click.shell_completion import get_completion_class

    from rocketmq_tw.admin.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(cli, {}, "rocketmq-admin", "_ROCKETMQ_ADMIN_COMPLETE")
    script = made.source_template % made.source_vars()
    click.echo(_ZSH + script if shell == "zsh" else script)


noun = click.Command(
    "completion",
    callback=_print,
    params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"]))],
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)
