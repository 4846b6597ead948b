"""The commands of the how-to about administration, run one after another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.bench import servers

ROOT = Path(__file__).parents[2]
COMMANDS = ROOT / "doc" / "howto" / "listings" / "admin" / "commands.sh"


def test_commands(tmp_path: Path) -> None:
    """Each command ends as the text says."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "rocketmq-admin"
    program.write_text(
        f"#!{sys.executable}\nfrom rocketmq_tw.admin.cli.main import main\nmain()\n"
    )
    program.chmod(0o755)
    server = servers.ours(tmp_path / "data")
    try:
        done = subprocess.run(
            ["bash", "-e", str(COMMANDS)],
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "NAMESRV_ADDR": f"127.0.0.1:{server.ports[1]}",
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "created at" in done.stdout
    assert "order-7" in done.stdout
    assert 'there is no topic "no-such-topic"' in done.stderr
