"""``python -m doc.mqadmin``."""

from __future__ import annotations

from doc.mqadmin.page import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
