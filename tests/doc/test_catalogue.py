"""The wire catalogue covers every declaration, and is up to date."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from doc.catalogue.facts import FACTS
from doc.catalogue.pages import PAGES, bodies, by_module, requests_page, table
from rocketmq_tw.wire.codes import RequestCode, ResponseCode

FORMAT = Path(__file__).parents[2] / "doc" / "format"


class CatalogueTests(SynchronousTestCase):
    """``doc/format/requests.rst`` and ``bodies.rst``."""

    maxDiff = None

    def test_is_up_to_date(self) -> None:
        """The pages are those that ``python -m doc.catalogue`` writes."""
        for name, write in PAGES.items():
            written = (FORMAT / name).read_text(encoding="utf-8")
            self.assertEqual(written, write(), "run: python -m doc.catalogue")

    def test_facts_of_every_request(self) -> None:
        """Who is asked and what the bodies hold is known of each request."""
        self.assertEqual(set(FACTS), {code for code, _ in by_module()})
        self.assertEqual(set(FACTS), set(RequestCode))

    def test_every_code_is_named(self) -> None:
        """Every request and response code has its place in the text."""
        text = requests_page()
        for code in RequestCode:
            self.assertIn(f"\n{code.name} ({int(code)})\n~~~", text)
        for response in ResponseCode:
            self.assertIn(f"{response.name} ({int(response)})", text)

    def test_every_field_is_named(self) -> None:
        """Fields stand under their names on the wire, the odd ones as well."""
        text = requests_page()
        for name in ("``bname``", "``clientID``", "``_UNIQUE_KEY_QUERY``", "``a``"):
            self.assertIn(name, text)
        self.assertNotIn("``//body``", text)

    def test_bodies_are_followed(self) -> None:
        """The types within a body are described, too."""
        found = {kind.__name__ for kind in bodies()}
        self.assertLessEqual({"HeartbeatData", "Subscription", "MessageModel"}, found)

    def test_table(self) -> None:
        """A last column without a text is left out."""
        self.assertEqual(
            table(("a", "b"), [("long", "")]), ["====", "a", "====", "long", "====", ""]
        )
