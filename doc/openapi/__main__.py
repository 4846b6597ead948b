"""Write the file."""

from __future__ import annotations

from doc.openapi.document import PATH, text

PATH.write_text(text(), encoding="utf-8")
