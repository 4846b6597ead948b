"""What the page knows once somebody has signed in."""

from __future__ import annotations

from tests.console.visits import TOKEN, HttpCase


class SessionTests(HttpCase):
    """See also ``web/test_site.py``."""

    def test_about(self) -> None:
        """The broker that serves the page, and the version."""
        response = self.visits.get("/api/session")
        self.assertEqual(response.json, {"name": "broker-a", "version": "1.0"})
        self.assertEqual(response.headers["cache-control"], "no-store")

    def test_lifetime(self) -> None:
        """The browser forgets the cookie when the session ends."""
        response = self.visits.request("POST", "/api/session", {"token": TOKEN})
        self.assertEqual(response.json["lifetime"], 43_200)
        self.assertIn("Max-Age=43200", response.headers["set-cookie"])
