"""Declared fields, and the texts that they are on the wire."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.wire.errors import BadField
from rocketmq_tw.wire.fields import (
    DECLARED,
    Request,
    Response,
    from_ext,
    layout,
    to_ext,
)


class SizeResponse(Response):
    """A response with one number."""

    size: int


class Measure(Request[SizeResponse]):
    """A request with a field of each kind; its code means nothing in the protocol."""

    code: ClassVar[int] = 31997
    topic: str
    queue_id: int
    exact: bool | None = None
    quick: bool = True
    client_id: str | None = msgspec.field(name="clientID", default=None)


class DeclarationTests(SynchronousTestCase):
    """What a declaration says."""

    def test_names(self) -> None:
        """Names are turned to camel case, unless spelt; status and body stay out."""
        self.assertEqual(
            layout(Measure),
            (
                ("topic", "topic"),
                ("queue_id", "queueId"),
                ("exact", "exact"),
                ("quick", "quick"),
                ("client_id", "clientID"),
            ),
        )
        self.assertEqual(layout(SizeResponse), (("size", "size"),))

    def test_response_type(self) -> None:
        """The subscript is the response's type."""
        self.assertIs(Measure.response_type, SizeResponse)

    def test_found_by_code(self) -> None:
        """A declared request is found by its code."""
        self.assertIs(DECLARED[31997], Measure)


class ToExtTests(SynchronousTestCase):
    """From fields to texts."""

    def test_always_texts(self) -> None:
        """Numbers and booleans are texts, as Java spells them; None stays out."""
        ext = to_ext(Measure(topic="T", queue_id=-1, exact=False))
        self.assertEqual(
            ext, {"topic": "T", "queueId": "-1", "exact": "false", "quick": "true"}
        )

    def test_body_and_status_stay_out(self) -> None:
        """Neither travels in the header's fields."""
        self.assertEqual(
            to_ext(SizeResponse(size=2, status=1, remark="no")), {"size": "2"}
        )


class FromExtTests(SynchronousTestCase):
    """From texts to fields."""

    def test_converted(self) -> None:
        """Texts become what is declared; unknown fields are ignored."""
        found = from_ext(
            Measure, {"topic": "T", "queueId": "7", "exact": "true", "bname": "x"}
        )
        self.assertEqual(found, Measure(topic="T", queue_id=7, exact=True))

    def test_missing(self) -> None:
        """A missing field is named."""
        error = self.assertRaises(BadField, from_ext, Measure, {"topic": "T"})
        self.assertEqual(
            str(error), "the field queueId is missing; expected it in Measure"
        )

    def test_not_a_number(self) -> None:
        """What was found is shown, and what should have been there."""
        error = self.assertRaises(
            BadField, from_ext, Measure, {"topic": "T", "queueId": "seven"}
        )
        self.assertEqual(error.field, "queueId")
        self.assertIn("'seven'", str(error))

    def test_not_a_boolean(self) -> None:
        """Whatever is not ``true`` is false. Source: ``Boolean.parseBoolean``."""
        for text, meant in {
            "TRUE": True,
            "abc": False,
            "yes": False,
            "": False,
        }.items():
            found = from_ext(Measure, {"topic": "T", "queueId": "7", "exact": text})
            self.assertIs(found.exact, meant)

    def test_malformed_boolean_among_good_fields(self) -> None:
        """It is false; the other fields are read as they are without it."""
        good = {"topic": "T", "queueId": "7", "clientID": "maybe"}
        for text, meant in {
            "true": True,
            "1": True,
            "0": False,
            "FALSE": False,
        }.items():
            for malformed in ("maybe", "", "2"):
                found = from_ext(Measure, {**good, "exact": malformed, "quick": text})
                self.assertEqual(
                    found,
                    Measure(
                        topic="T",
                        queue_id=7,
                        exact=False,
                        quick=meant,
                        client_id="maybe",
                    ),
                )

    def test_malformed_boolean_does_not_hide_a_bad_number(self) -> None:
        """A number that cannot be read is still the error, not the boolean."""
        error = self.assertRaises(
            BadField, from_ext, Measure, {"topic": "T", "queueId": "x", "exact": "x"}
        )
        self.assertEqual(error.field, "queueId")

    def test_long_values_are_cut(self) -> None:
        """No peer can make our error messages endless."""
        error = self.assertRaises(
            BadField, from_ext, Measure, {"topic": "T", "queueId": "x" * 10_000}
        )
        self.assertLess(len(str(error)), 200)


@settings(deadline=None)
@given(
    topic=st.text(st.characters(exclude_categories=["Cs"])),
    queue_id=st.integers(-(1 << 63), (1 << 63) - 1),
    exact=st.none() | st.booleans(),
)
def test_there_and_back(topic: str, queue_id: int, exact: bool | None) -> None:
    """What is written as texts is read as it was."""
    asked = Measure(topic=topic, queue_id=queue_id, exact=exact)
    assert from_ext(Measure, to_ext(asked)) == asked
