"""Write the generated page; run from the root of a checkout."""

from doc.limits.page import PAGE, limits_page

PAGE.write_text(limits_page(), encoding="utf-8")
print(PAGE)
