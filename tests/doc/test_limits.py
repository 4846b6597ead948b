"""Every limit that a setting declares is described."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.namesrv.config import NamesrvConfig

PAGE = Path(__file__).parents[2] / "doc" / "howto" / "limits.rst"

#: Settings that begin with ``max`` and limit nothing that a client can make grow.
OTHERS = {"maxHashSlotNum", "maxIndexNum"}


class LimitsTests(SynchronousTestCase):
    """``doc/howto/limits.rst``."""

    def test_every_setting(self) -> None:
        """A new limit cannot be declared without its line."""
        text = PAGE.read_text(encoding="utf-8")
        missing = [
            name
            for config in (BrokerConfig, NamesrvConfig)
            for name in config.__struct_encode_fields__
            if name.startswith("max") and name not in OTHERS
            if f"``{name}``" not in text
        ]
        self.assertEqual(missing, [])
