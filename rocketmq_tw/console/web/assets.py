"""The files of the page, which are read once and kept."""

from __future__ import annotations

import hashlib
import pkgutil
from importlib import resources

import msgspec

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
}


class Asset(msgspec.Struct, frozen=True):
    """
    One file.

    :ivar etag: changes when the content does.
    """

    content: bytes
    content_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """
    Return all files by the path under which browsers ask for them; ``/`` is the page.

    Their names are those of the package: nothing that a browser sends is looked up
    among files.
    """
    found: dict[str, Asset] = {}
    folder = resources.files("rocketmq_tw.console").joinpath("static")
    for each in folder.iterdir():
        kind = _TYPES.get(each.name.rpartition(".")[2])
        content = pkgutil.get_data("rocketmq_tw.console", f"static/{each.name}")
        if kind is not None and content is not None:
            etag = hashlib.sha256(content).hexdigest()[:32]
            found[f"/{each.name}"] = Asset(content, kind, f'"{etag}"')
    found["/"] = found["/index.html"]
    found["/api/openapi.json"] = found.pop("/openapi.json")
    return found
