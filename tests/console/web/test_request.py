"""Bodies: how large they may be, before and after signing in."""

from __future__ import annotations

from tests.console.visits import BEARER, HttpCase, Wire, request_bytes
from tests.console.web.test_site import logged


class BodyTests(HttpCase):
    """What is not kept."""

    settings = {"max_body": 100_000}

    def test_nobody(self) -> None:
        """Before anybody has signed in, 4 KiB are read for a token, no more."""
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("POST", "/api/session", b"x" * 5000))
        response = wire.read()
        assert response is not None
        self.assertEqual(response.status, 413)
        self.assertEqual(response.error, "the body of this request may have 4096 bytes")

    def test_too_large(self) -> None:
        """The rest of a body that is too large is forgotten as it comes."""
        wire = Wire(self.visits.parts)
        head = request_bytes(
            "POST", "/api/session", Content_Length="200000", Authorization=BEARER
        )
        wire.send(head)
        request = wire.channel.requests[-1]
        wire.send(b"x" * 150_000)
        self.assertEqual(request.body(), b"")
        self.assertIsNone(wire.read())
        wire.send(b"x" * 50_000)
        response = wire.read()
        assert response is not None
        self.assertEqual(response.status, 413)

    def test_chunks(self) -> None:
        """A body that does not say how large it is, is counted."""
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("POST", "/api/session", Transfer_Encoding="chunked"))
        for _ in range(3):
            wire.send(b"7d0\r\n" + b"x" * 2000 + b"\r\n")
        wire.send(b"0\r\n\r\n")
        response = wire.read()
        assert response is not None
        self.assertEqual(response.status, 413)
        self.assertEqual(response.error, "the body of this request may have 4096 bytes")

    def test_endless(self) -> None:
        """A refused body that does not end is cut off, and that is logged once."""
        lines = logged(self)
        wire = Wire(self.visits.parts)
        wire.send(request_bytes("POST", "/api/session", Transfer_Encoding="chunked"))
        for _ in range(9):
            wire.send(b"200000\r\n" + b"x" * 0x200000 + b"\r\n")
        self.assertTrue(wire.is_closed)
        self.assertEqual(
            lines,
            [
                "the console refused a request of 127.0.0.1 (413):"
                " the body of this request may have 4096 bytes"
            ],
        )

    def test_form(self) -> None:
        """A form is not taken for one: no other site's form does anything."""
        response = self.visits.request(
            "POST",
            "/api/session",
            {"token": "t"},
            Content_Type="application/x-www-form-urlencoded",
        )
        self.assertEqual(response.status, 415)
