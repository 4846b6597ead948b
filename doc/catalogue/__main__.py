"""Write the generated documents; run from the root of a checkout."""

from pathlib import Path

from doc.catalogue.pages import PAGES

for name, write in PAGES.items():
    Path("doc/format", name).write_text(write(), encoding="utf-8")
    print(f"doc/format/{name}")
