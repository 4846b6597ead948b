"""Tests of YAML that is read and written in steps."""

from __future__ import annotations

from typing import Any
from unittest import mock

import yaml
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.auth.errors import BadPolicy
from rocketmq_tw.auth.yaml_text import MAX_DEPTH, MAX_NUMBER, read_yaml, write_yaml

_texts = st.text(st.characters(codec="utf-8"), max_size=12)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), 1 << 63)
    | st.floats(allow_nan=False)
    | _texts
    | st.sampled_from(["yes", "no", "0x1F", "1:30", "null", "~", "2026-01-01", "=", ""])
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4)
    ),
    max_leaves=12,
)
_documents = st.dictionaries(_texts, _values, max_size=5)


class ReadTests(SynchronousTestCase):
    """What is read of a document."""

    def check_refused(self, text: str, why: str) -> None:
        """A document is refused with a sentence."""
        error = self.assertRaises(BadPolicy, read_yaml, text.encode())
        self.assertIn(why, str(error))

    def test_values(self) -> None:
        """Texts, numbers, truth values and null, as YAML 1.1 has them."""
        text = b"""
        # a comment
        number: 12345678
        octal: 017
        float: 1.5
        truth: [true, No, on]
        nothing: ~
        empty:
        quoted: "12345678"
        single: 'it''s'
        date: 2026-11-27
        folded: >
          two
          lines
        rows:
          - {a: 1}
          - - b
        """
        self.assertEqual(
            read_yaml(text),
            {
                "number": 12345678,
                "octal": 15,
                "float": 1.5,
                "truth": [True, False, True],
                "nothing": None,
                "empty": None,
                "quoted": "12345678",
                "single": "it's",
                "date": "2026-11-27",
                "folded": "two lines\n",
                "rows": [{"a": 1}, ["b"]],
            },
        )
        for empty in (b"", b"# nothing\n", b"---\n"):
            self.assertIsNone(read_yaml(empty))

    def test_refused(self) -> None:
        """References, tags, documents within one another, and what is no YAML."""
        self.check_refused("a: &a [1]\nb: *a", "references")
        self.check_refused("a: !!python/object/apply:os.system ['true']", "tag")
        self.check_refused("a: !!set {b, c}", "tag")
        self.check_refused("a: !!int " + "9" * (MAX_NUMBER + 1), "tag")
        self.check_refused("a: !!int x", "not YAML")
        self.check_refused("a: 1\n---\nb: 2", "more than one")
        self.check_refused("? [a]\n: b", "key")
        self.check_refused("a: 1\nb: [", "line 3")
        self.check_refused("a: \x07", "not YAML")

    def test_depth(self) -> None:
        """Levels are counted, so that no depth costs stack."""
        read_yaml(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
        self.check_refused("[" * (MAX_DEPTH + 1), "levels")
        self.check_refused("[" * 100_000, "")

    def test_long_numbers(self) -> None:
        """What is longer than any number is a text, and is not computed."""
        for text in ("9" * 5000, ":".join(["1"] * 5000)):
            self.assertEqual(read_yaml(f"a: {text}".encode()), {"a": text})

    def test_steps(self) -> None:
        """The C code is called for one event at a time, and never for a document."""
        with mock.patch.object(yaml, "load", side_effect=AssertionError):
            data = b"accounts:\n" + b"- {accessKey: key, admin: false}\n" * 50
            steps = count_events(data)
            self.assertGreater(steps, 50 * 6)


def count_events(data: bytes) -> int:
    """Return how often the loader is asked while a document is read."""
    count = 0

    class Counting(yaml.SafeLoader):
        """Counts its calls."""

        def get_event(self) -> Any:
            """Return the next event."""
            nonlocal count
            count += 1
            return super().get_event()

        def get_single_data(self) -> Any:
            """Not called."""
            raise AssertionError

    with mock.patch.object(yaml, "CSafeLoader", Counting, create=True):
        read_yaml(data)
    return count


class WriteTests(SynchronousTestCase):
    """What is written is read as the same, here and by others."""

    @given(_documents)
    def test_round_trip(self, document: dict[str, Any]) -> None:
        """All values survive, and the loader of the package reads the same."""
        data = write_yaml(document)
        self.assertEqual(read_yaml(data), document)
        self.assertEqual(yaml.safe_load(data) or {}, document)

    def test_text(self) -> None:
        """It looks as an operator would write it."""
        document = {
            "globalWhiteRemoteAddresses": ["10.0.0.*"],
            "accounts": [
                {"accessKey": "a", "admin": False, "topicPerms": ["T=PUB"]},
                {"accessKey": "b", "white": None, "groupPerms": []},
            ],
            "dataVersion": [{"counter": 1}],
        }
        self.assertEqual(
            write_yaml(document).decode(),
            'globalWhiteRemoteAddresses:\n- "10.0.0.*"\n'
            'accounts:\n- accessKey: "a"\n  admin: false\n  topicPerms:\n'
            '  - "T=PUB"\n- accessKey: "b"\n  white: null\n  groupPerms: []\n'
            "dataVersion:\n- counter: 1\n",
        )
