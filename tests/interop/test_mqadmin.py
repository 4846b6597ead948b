"""Apache's ``mqadmin`` prints the same on our servers as on Apache's."""

from __future__ import annotations

from pathlib import Path

from .mqadmin.script import SCRIPT
from .mqadmin_table import compare

#: Those that are run each time, of the newest release.
QUICK = tuple(command for command in SCRIPT if command.quick)


def test_mqadmin(tmp_path: Path) -> None:
    """All of them is ``python -m tests.interop.mqadmin_table``."""
    results = compare("v55", QUICK, tmp_path)
    assert len(results) == len([each for each in QUICK if each.only != "v49"])
    complaints = [each.complaint() for each in results]
    wrong = [each for each in complaints if each]
    assert not wrong, "\n".join(wrong)
