"""Settings under Apache RocketMQ's names: read, applied, refused, written."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw import settings


class Colour(Enum):
    """A choice."""

    RED = "RED"
    BLUE = "BLUE"


class Paint(msgspec.Struct, rename="camel", kw_only=True, frozen=True):
    """Settings of every kind."""

    coat_count: Annotated[int, msgspec.Meta(ge=1, le=9)] = 2
    is_dry: bool = False
    colour: Colour = Colour.RED
    maker_ip1: str = msgspec.field(name="makerIP1", default="")
    code: Annotated[str, msgspec.Meta(pattern="^[a-z]*$")] = ""


class ReadTests(SynchronousTestCase):
    """Files of settings."""

    def write(self, text: bytes) -> str:
        """Make a file."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(text)
        return path

    def test_read(self) -> None:
        """Java's rules: comments, spaces, continued lines, the last value."""
        path = self.write(b"# a comment\n a = 1 \nb:2\r\nc=x\\\n  y\na=3\n")
        self.assertEqual(settings.read(path), {"a": "3", "b": "2", "c": "xy"})

    def test_unreadable(self) -> None:
        """A missing file and a folder are distinguished, with the path."""
        for path, why in ((self.mktemp(), "No such file"), (".", "Is a directory")):
            error = self.assertRaises(settings.UnreadableSettings, settings.read, path)
            self.assertIn(f"cannot read the settings in {path}: {why}", str(error))

    def test_no_text(self) -> None:
        """A file of something else is refused, not read as odd names."""
        path = self.write(b"a=1\nb=\0\n")
        error = self.assertRaises(settings.UnreadableSettings, settings.read, path)
        self.assertEqual(
            str(error),
            f"{path} is not a properties file: byte 6 is 0x00, a control character",
        )

    def test_too_long(self) -> None:
        """A file that is no file of settings is refused by its length."""
        path = self.write(b"a=1\n" * 20_000)
        error = self.assertRaises(settings.UnreadableSettings, settings.read, path)
        self.assertEqual(str(error), f"{path} has over 65536 bytes of settings")

    def test_texts_of_all_kinds(self) -> None:
        """Tabs, form feeds, line ends and other encodings are text."""
        path = self.write(b"\ta=1\r\n\x0cb=\xe9\xff\xc2\x85\n")
        self.assertEqual(set(settings.read(path)), {"a", "b"})


class UnsupportedTests(SynchronousTestCase):
    """Settings of what is not here."""

    table = {
        "copies": settings.Unsupported(harmless=("1",), expected="1: no replicas"),
        "useFilter": settings.Unsupported(),
        "isDry": settings.Unsupported(),
    }

    def idle(self, values: dict[str, str]) -> list[str]:
        """Give the keys without effect."""
        return settings.apply(Paint, values, self.table)[1]

    def test_harmless(self) -> None:
        """A value that asks for nothing is not worth a word."""
        values = {"copies": " 1 ", "useFilter": "FALSE"}
        self.assertEqual(self.idle(values), [])
        self.assertEqual(self.idle({"copies": "", "useFilter": " "}), [])

    def test_ignored(self) -> None:
        """What has no effect is named, beside what nobody knows."""
        self.assertEqual(self.idle({"z": "1", "useFilter": "true"}), ["useFilter", "z"])

    def test_refused(self) -> None:
        """What somebody relies on is an error that says what can be used."""
        error = self.assertRaises(settings.BadSetting, self.idle, {"copies": "2"})
        self.assertEqual(str(error), 'copies is "2"; expected 1: no replicas')

    def test_known_too(self) -> None:
        """A setting that is declared keeps its value, and may have no effect."""
        paint, idle = settings.apply(Paint, {"isDry": "true"}, self.table)
        self.assertEqual((paint.is_dry, idle), (True, ["isDry"]))

    def test_warned_of(self) -> None:
        """One line names all; none is written where there is nothing to name."""
        with capturedLogs() as events:
            settings.warn_of_idle("a.conf", ["x", "y\n"])
            settings.warn_of_idle("a.conf", [])
        [line] = map(formatEvent, events)
        self.assertEqual(line, "a.conf: these settings have no effect here: x, y\\n")


class ApplyTests(SynchronousTestCase):
    """Texts become values."""

    def refused(self, key: str, text: str) -> str:
        """Give the sentence that refuses a value."""
        error = self.assertRaises(
            settings.BadSetting, settings.apply, Paint, {key: text}
        )
        self.assertEqual((error.key, error.value), (key, text))
        return str(error)

    def test_values(self) -> None:
        """Every kind is read, spaces around it are dropped."""
        texts = {
            "coatCount": " 3 ",
            "isDry": "TRUE",
            "colour": "BLUE",
            "makerIP1": "10.0.0.1",
        }
        paint, unknown = settings.apply(Paint, texts)
        expected = Paint(
            coat_count=3, is_dry=True, colour=Colour.BLUE, maker_ip1="10.0.0.1"
        )
        self.assertEqual((paint, unknown), (expected, []))

    def test_defaults(self) -> None:
        """What is not said keeps its default."""
        self.assertEqual(settings.apply(Paint, {}), (Paint(), []))

    def test_unknown(self) -> None:
        """Unknown keys are named, in order; the spelling counts."""
        _, unknown = settings.apply(Paint, {"z": "", "coat_count": "1", "Colour": "x"})
        self.assertEqual(unknown, ["Colour", "coat_count", "z"])

    def test_refused(self) -> None:
        """The sentence has the key, the value and what was expected."""
        for key, text, expected in (
            ("coatCount", "many", "a whole number"),
            ("coatCount", "", "a whole number"),
            ("coatCount", "0", "a whole number >= 1"),
            ("coatCount", "10", "a whole number <= 9"),
            ("coatCount", "9" * 100, "a whole number"),
            ("isDry", "yes", "true or false"),
            ("colour", "GREEN", "one of RED, BLUE"),
            ("code", "A", "a text like ^[a-z]*$"),
        ):
            said = self.refused(key, text)
            self.assertTrue(said.startswith(f'{key} is "{text}"; expected {expected}'))

    def test_control_characters(self) -> None:
        """A value cannot break the line of the error."""
        self.assertIn(r'code is "a\nb"; expected', self.refused("code", "a\nb"))

    def test_texts(self) -> None:
        """Values are written as Java writes them."""
        texts = settings.to_values(Paint(is_dry=True, colour=Colour.BLUE))
        expected = {
            "coatCount": "2",
            "isDry": "true",
            "colour": "BLUE",
            "makerIP1": "",
            "code": "",
        }
        self.assertEqual(texts, expected)
        self.assertEqual(settings.to_values(Paint())["isDry"], "false")

    def test_round_trip(self) -> None:
        """What is written is read back."""
        paint = Paint(coat_count=7, is_dry=True, colour=Colour.BLUE, code="abc")
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(settings.to_properties(paint))
        self.assertEqual(settings.apply(Paint, settings.read(path)), (paint, []))


class ReadLineTests(SynchronousTestCase):
    """Files with one text, such as a password."""

    def read(self, content: bytes) -> str:
        """Write a file, and read it."""
        path = self.mktemp()
        Path(path).write_bytes(content)
        return settings.read_line(path)

    def test_one_line(self) -> None:
        """The line feed behind it does not count."""
        self.assertEqual(self.read(b"secret\n"), "secret")

    def test_unreadable(self) -> None:
        """What is not there, not text, or more than a line, is refused."""
        for content in (b"\xff", b"a\nb", b"\x00", b"x" * 100_000):
            self.assertRaises(settings.UnreadableSettings, self.read, content)
        missing = self.mktemp()
        self.assertRaises(settings.UnreadableSettings, settings.read_line, missing)
