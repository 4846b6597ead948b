"""The files of the page: all there, of a known type, and none from elsewhere."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.web.assets import load_assets

#: Ways to turn text into more than text, or to load from elsewhere.
_FORBIDDEN = re.compile(
    rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function"
    rb"|DOMParser|srcdoc|javascript:|https?://(?!www\.w3\.org/2000/svg)"
)


class AssetTests(SynchronousTestCase):
    """What browsers load."""

    def setUp(self) -> None:
        """Read the files."""
        self.assets = load_assets()

    def test_types(self) -> None:
        """A browser takes a module only for what its type says."""
        kind = self.assets["/app.js"].content_type
        self.assertEqual(kind, "text/javascript; charset=utf-8")
        self.assertIs(self.assets["/"], self.assets["/index.html"])

    def test_imports(self) -> None:
        """Every file that one names is there, under just that name."""
        for path, asset in self.assets.items():
            for found in re.findall(
                rb'(?:from |import\(|href=|src=|src: )"(/[^"]*)"', asset.content
            ):
                self.assertIn(found.decode(), self.assets, path)

    def test_only_text(self) -> None:
        """Nothing parses HTML or code, and nothing comes from another site."""
        for path, asset in self.assets.items():
            self.assertIsNone(_FORBIDDEN.search(asset.content), path)
        page = self.assets["/"].content
        self.assertIsNone(re.search(rb"<style|<script>|\son\w+=|style=", page))

    def test_size(self) -> None:
        """All that a browser loads is there at once, also by telephone."""
        loaded = {**self.assets}
        del loaded["/"], loaded["/api/openapi.json"]  # the page again; for programs
        self.assertLess(sum(len(each.content) for each in loaded.values()), 120_000)
