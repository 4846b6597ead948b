"""Events as JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.logs.json_lines import LONGEST, MOST, json_line


def line(**event: Any) -> dict[str, Any]:
    """Encode an event, and read it again."""
    text = json_line(event)
    assert text.endswith("\n") and "\n" not in text[:-1], text
    read: dict[str, Any] = json.loads(text, parse_constant=lambda name: 1 / 0)
    return read


class Unshowable:
    """Something without a text."""

    def __str__(self) -> str:
        raise ValueError


class JsonLineTests(SynchronousTestCase):
    """One object a line."""

    def test_event(self) -> None:
        """Plain names, and the fields of the format."""
        found = line(
            log_time=1_700_000_000.25,
            log_level=LogLevel.warn,
            log_namespace="rocketmq_tw.x",
            log_format="closed {peer}: {count}",
            log_source=object(),
            peer="10.0.0.9:4711",
            count=3,
        )
        expected = {
            "time": "2023-11-14T22:13:20.250000Z",
            "level": "warn",
            "system": "rocketmq_tw.x",
            "message": "closed 10.0.0.9:4711: 3",
            "fields": {"peer": "10.0.0.9:4711", "count": 3},
        }
        self.assertEqual(found, expected)

    def test_legacy(self) -> None:
        """What old code logs has its text as the message, and no fields."""
        found = line(
            log_time=0.0,
            log_format="{log_text}",
            log_text="Factory starting",
            log_namespace="log_legacy",
            message=("Factory starting",),
            time=0.0,
            system="-",
            isError=0,
        )
        self.assertEqual(found["message"], "Factory starting")
        self.assertEqual((found["level"], "fields" in found), ("info", False))

    def test_failure(self) -> None:
        """A traceback is one text."""
        try:
            1 / 0  # noqa: B018 - for its traceback
        except ZeroDivisionError:
            found = line(log_format="it failed", log_failure=Failure())
        self.assertIn("ZeroDivisionError", found["failure"])
        self.assertEqual(found["message"], "it failed")

    def test_values(self) -> None:
        """Numbers and truth values stay; everything else is a text."""
        found = line(
            log_format="x",
            a=True,
            b=None,
            c=1.5,
            d=float("nan"),
            e=[1, "two"],
            f=Unshowable(),
            g=2**80,
            h=b"\xff",
            i="half \ud800",
        )["fields"]
        self.assertEqual((found["a"], found["b"], found["c"]), (True, None, 1.5))
        self.assertEqual((found["d"], found["e"]), ("nan", "[1, 'two']"))
        self.assertEqual(found["f"], "<Unshowable that cannot be shown>")
        self.assertEqual((found["g"], found["h"]), (str(2**80), r"b'\xff'"))
        self.assertEqual(found["i"], "half ?")

    def test_bounded(self) -> None:
        """Neither a text nor the number of fields grows without a limit."""
        found = line(log_format="{text}", text="x" * 10_000)
        self.assertEqual(found["message"], "x" * LONGEST + "...")
        self.assertEqual(found["fields"]["text"], "x" * LONGEST + "...")
        many = {f"n{number}": number for number in range(100)}
        self.assertEqual(len(line(log_format="x", **many)["fields"]), MOST)

    def test_broken_failure(self) -> None:
        """A failure without a traceback is no reason for another one."""
        found = line(log_format="x", log_failure=Unshowable())
        self.assertEqual(found["failure"], "<a traceback that cannot be shown>")

    @given(st.dictionaries(st.text(), st.text() | st.floats() | st.integers()))
    def test_any_event(self, event: dict[str, Any]) -> None:
        """Whatever is in an event, it is a line of JSON."""
        event.pop("log_time", None)
        text = json_line({**event, "log_format": "x", "log_namespace": "n"})
        self.assertEqual(json.loads(text)["message"], "x")
