"""Every program in ``tac`` starts, listens where it says, and stops cleanly."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.bench.servers import Server
from tests.ports import free_port

TAC = Path(__file__).parents[2] / "tac"

#: The ports that each program opens, as its text spells them.
PORTS = {
    "namesrv.tac": ["9876"],
    "broker.tac": ["10911"],
    "cluster.tac": ["9876", "9877", "10911", "10921", "10931", "10941"],
}


@pytest.mark.parametrize("name", sorted(PORTS))
def test_starts_and_stops(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens its ports, writes no traceback, and ends when it is asked to."""
    text = (TAC / name).read_text()
    ports = []
    for port in PORTS[name]:
        ports.append(free_port())
        text = text.replace(port, str(ports[-1]))
    path = tmp_path / name
    path.write_text(text)
    monkeypatch.chdir(tmp_path)
    twistd = str(Path(sys.executable).with_name("twistd"))
    server = Server([twistd, "-n", "--pidfile=", "-y", str(path)], *ports)
    server.stop()
    assert "Traceback" not in server.said()


def test_all_are_started() -> None:
    """No program is left out."""
    assert {path.name for path in TAC.glob("*.tac")} == set(PORTS)
