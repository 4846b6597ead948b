"""The description of the console's requests, in the form of OpenAPI 3.1."""

from __future__ import annotations

import inspect
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.task import Clock

import rocketmq_tw.console
from rocketmq_tw.console.api.routes import Route
from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.parts import ConsoleParts

PATH = Path(rocketmq_tw.console.__file__).parent / "static" / "openapi.json"

_REF = "#/components/schemas/{name}"
_RESPONSE = "#/components/responses/Error"
_ABOUT = """\
What the page of the console asks for, and programs may ask for, too: send the token as
a bearer. Times are in UTC, durations in seconds, sizes in bytes, and bodies of messages
in Base64. Bodies of requests are JSON. Every response that is no success has a
sentence: {"error": "there is no topic \\"orders\\""}."""

_ERRORS = {
    "400": "The query or the body cannot be used.",
    "401": "Nobody is signed in, or the token is wrong.",
    "403": "The request comes from another site.",
    "404": "What is named does not exist.",
    "405": "There is no such request at this address.",
    "409": "It exists already, or is not as it would have to be.",
    "413": "The body is too large.",
    "414": "The query is too long.",
    "415": "The body is not said to be JSON.",
    "421": "The console is not known under this name: see consoleHosts.",
    "429": "Wrong tokens, or live tails, are too many.",
    "500": "The console has failed; the log of its broker says how.",
    "502": "Name servers or brokers refuse, or cannot be reached.",
    "503": "The console stops.",
    "504": "They did not respond in time.",
}


def routes() -> list[Route]:
    """Return the routes of a console."""
    config = ConsoleConfig(listen="tcp:0", token="")
    parts = ConsoleParts(
        Clock(),
        config,
        assets={},
        admin=None,  # type: ignore[arg-type]
        about=About("", ""),
        is_secure=False,
    )
    return list(parts.site.routes)


def document() -> dict[str, Any]:
    """Return the description."""
    every = routes()
    kinds = [Failed, *(route.result for route in every)]
    kinds += [route.body for route in every if route.body is not None]
    kinds += [route.notice for route in every if route.notice is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_kind = {str(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, Any] = {}
    for route in every:
        operation = _operation(route, by_kind)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The console of RocketMQ on Twisted",
            "version": metadata.version("rocketmq_tw"),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"cookie": [], "key": []}],
        "paths": paths,
        "components": {
            "schemas": {name: _tidied(each) for name, each in components.items()},
            "responses": {
                f"Error{status}": {
                    "description": text,
                    "content": {"application/json": {"schema": by_kind[str(Failed)]}},
                }
                for status, text in _ERRORS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "rocketmq_console",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-Console-Key"},
            },
        },
    }


class Failed(msgspec.Struct):
    """
    Why there is no other response.

    :ivar error: a sentence.
    """

    error: str


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    """Describe one request."""
    kind = "application/x-ndjson" if route.is_stream else "application/json"
    schema = schemas[str(route.result)]
    if route.notice is not None:
        lines = (route.result, route.notice, Failed)
        schema = {"oneOf": [schemas[str(each)] for each in lines]}
    found = {"schema": schema}
    words = route.path.removeprefix("/api/").replace("/", "-")
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}-{words}",
        "summary": route.summary,
        "parameters": list(_parameters(route)),
        "responses": {
            "200": {"description": "It was done.", "content": {kind: found}},
            **{status: {"$ref": _RESPONSE + status} for status in _ERRORS},
        },
    }
    if route.is_open:
        operation["security"] = []
    if route.body is not None:
        content = {"application/json": {"schema": schemas[str(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: Route) -> Any:
    """Give the fields of the query."""
    schema = msgspec.json.schema(route.query)
    own = schema["$defs"][route.query.__name__]
    about = _fields_in(route.query)
    for name, each in own["properties"].items():
        described = _inlined(each, schema["$defs"])
        if name in about:
            described = {**described, "description": about[name]}
        yield {
            "name": name,
            "in": "query",
            "required": name in own["required"],
            "schema": described,
        }


def _inlined(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without references."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return {**_tidied(defs[reference.rpartition("/")[2]]), **_without(schema, "$ref")}


def _without(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}


def _tidied(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose description is the first sentence of the docstring."""
    text = schema.get("description")
    if text is None:
        return schema
    return {**schema, "description": inspect.cleandoc(text).split("\n\n:")[0]}


def _fields_in(kind: type) -> dict[str, str]:
    """Return what the docstrings of a type say of its fields."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        text = inspect.cleandoc(vars(each).get("__doc__") or "")
        for line in text.split(":ivar ")[1:]:
            name, _, about = line.partition(": ")
            found[name] = " ".join(about.split())
    return found


def text() -> str:
    """Return the file."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
