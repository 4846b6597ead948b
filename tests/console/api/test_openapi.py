"""The description of the requests, as programs read it."""

from __future__ import annotations

import json

from openapi_spec_validator import OpenAPIV31SpecValidator
from twisted.trial.unittest import SynchronousTestCase

from doc.openapi.document import PATH, document, routes, text
from tests.console.visits import HttpCase


class DocumentTests(SynchronousTestCase):
    """``openapi.json``."""

    maxDiff = None

    def test_is_up_to_date(self) -> None:
        """The file is the one that ``python -m doc.openapi`` writes."""
        written = PATH.read_text(encoding="utf-8")
        self.assertEqual(written, text(), "run: python -m doc.openapi")

    def test_every_route(self) -> None:
        """Each request is described, and no other."""
        described = {
            (method.upper(), path)
            for path, operations in document()["paths"].items()
            for method in operations
        }
        self.assertEqual(described, {(each.method, each.path) for each in routes()})

    def test_valid(self) -> None:
        """It is what OpenAPI 3.1 says it has to be."""
        OpenAPIV31SpecValidator(json.loads(text())).validate()

    def test_open(self) -> None:
        """Only to sign in, one need not be signed in."""
        opened = [
            operation["operationId"]
            for operations in document()["paths"].values()
            for operation in operations.values()
            if operation.get("security") == []
        ]
        self.assertEqual(opened, ["post-session"])


class ServedTests(HttpCase):
    """Where programs find it."""

    def test_served(self) -> None:
        """Under its usual name, for everybody."""
        response = self.visits.request("GET", "/api/openapi.json")
        self.assertEqual(response.json, json.loads(text()))
        self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(self.visits.request("GET", "/openapi.json").status, 404)
