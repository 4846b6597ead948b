"""Routes, and what comes with a request."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.routes import (
    NoFields,
    Route,
    Routes,
    decode_body,
    decode_query,
)
from rocketmq_tw.console.errors import HttpError


class Query(msgspec.Struct, frozen=True):
    """A query for tests."""

    name: str
    count: int = 1
    flag: bool = False


class QueryTests(SynchronousTestCase):
    """The fields of an address."""

    def test_converted(self) -> None:
        """Texts become what is declared; an empty field keeps its default."""
        found = decode_query("name=a%26b+c&count=7&flag=true", Query)
        self.assertEqual(found, Query("a&b c", 7, True))
        self.assertEqual(decode_query("name=a&count=", Query), Query("a"))
        self.assertEqual(decode_query("", NoFields), NoFields())

    def test_refused(self) -> None:
        """The error says which field."""
        for text, why in (
            ("", "missing required field `name`"),
            ("name=a&count=x", "Expected `int`"),
            ("name=a&other=x", "there is no field other"),
            ("name=a&name=b", "twice"),
            ("name", "cannot be read"),
            ("&".join(f"a{i}=1" for i in range(20)), "cannot be read"),
        ):
            error = self.assertRaises(HttpError, decode_query, text, Query)
            self.assertIn(why, str(error), text)


class RoutesTests(SynchronousTestCase):
    """Which route a request takes."""

    def test_find(self) -> None:
        """By path and method; others are named in the refusal."""
        routes = [
            Route(method=m, path="/api/a", handle=str, summary="", result=Query)
            for m in ("GET", "POST")
        ]
        table = Routes(routes)
        self.assertIs(table.find("POST", "/api/a"), routes[1])
        self.assertEqual(list(table), routes)
        error = self.assertRaises(HttpError, table.find, "PUT", "/api/a")
        self.assertEqual(error.headers, {"allow": "GET, POST"})
        error = self.assertRaises(HttpError, table.find, "GET", "/api/\x1b[0m")
        self.assertEqual(str(error), "there is nothing at /api/\\x1b[0m")

    def test_body(self) -> None:
        """A body is of the declared type."""
        self.assertEqual(decode_body(b'{"name":"a"}', Query), Query("a"))
        error = self.assertRaises(HttpError, decode_body, b"[]", Query)
        self.assertIn("Expected `object`, got `array`", str(error))
