"""Where the token comes from."""

from __future__ import annotations

import os

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.errors import BadConsoleSetting
from rocketmq_tw.console.token import check_token, make_token, read_token


class TokenTests(SynchronousTestCase):
    """A file of one line."""

    def write(self, text: bytes, mode: int = 0o600) -> str:
        """Write a file; return its path."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def test_made(self) -> None:
        """Without a file one is made, for its owner alone, and used again."""
        path = self.mktemp()
        token = read_token(path)
        self.assertGreaterEqual(len(token), 40)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(read_token(path), token)

    def test_read(self) -> None:
        """A line end does not belong to it; others who may read it are reported."""
        lines: list[str] = []

        def observe(event: dict[str, str]) -> None:
            lines.append(event.get("path", ""))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        path = self.write(b" 0123456789abcdef\r\n")
        self.assertEqual(read_token(path), "0123456789abcdef")
        self.assertEqual(lines, [])
        path = self.write(b"0123456789abcdef", 0o640)
        read_token(path)
        self.assertEqual(lines, [path])

    def test_refused(self) -> None:
        """What could be guessed is no token; nor is what cannot be typed."""
        for text in (
            b"",
            b"short",
            b"two words 0123456",
            b"a" * 600,
            b"\xff" * 20,
            b"0123456789\nabcdef",
        ):
            error = self.assertRaises(BadConsoleSetting, read_token, self.write(text))
            self.assertIn("holds no token for the console", str(error))

    def test_unreadable(self) -> None:
        """The error names the file."""
        error = self.assertRaises(BadConsoleSetting, read_token, "/nonexistent/token")
        self.assertIn("kept in /nonexistent/token: No such file", str(error))

    def test_folder(self) -> None:
        """The folder is made with the file, and neither by a check."""
        path = os.path.join(os.path.abspath(self.mktemp()), "console-token")
        check_token(path)
        self.assertFalse(os.path.exists(os.path.dirname(path)))
        self.assertEqual(make_token(path), read_token(path))
        check_token(path)
        for refused in (make_token, check_token):
            below = os.path.join(path, "below")
            error = self.assertRaises(BadConsoleSetting, refused, below)
            self.assertIn("cannot be kept in", str(error))
