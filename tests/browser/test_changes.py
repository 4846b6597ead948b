"""Topics and groups are created, changed and deleted, by pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Console
from tests.browser.test_pages import PHONE, violations

Open = Callable[..., Any]


def test_topic(console: Console, open_page: Open) -> None:
    """A topic is created, changed, and deleted once its name is typed."""
    page = open_page(console)
    page.goto(f"{console.url}#/topics")
    page.get_by_role("button", name="New topic…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("or ders")
    dialog.get_by_label("Queues at each broker").fill("3")
    dialog.get_by_label("Type of messages").select_option("in order (FIFO)")
    dialog.get_by_role("button", name="Create the topic").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is not allowed")
    dialog.get_by_label("Name", exact=True).fill("returns")
    dialog.get_by_role("button", name="Create the topic").click()
    expect(page.get_by_role("heading", name="returns")).to_be_visible()
    settings = page.get_by_role("region", name="Settings").get_by_role("row").nth(1)
    expect(settings).to_contain_text("message.type=FIFO")
    page.get_by_role("button", name="Change…").click()
    apply = dialog.get_by_role("button", name="Change the topic")
    expect(dialog.get_by_label("Queues to write")).to_have_value("3")
    apply.click()
    expect(dialog.get_by_role("alert")).to_contain_text("Nothing is different")
    dialog.get_by_label("Queues to write").fill("5")
    dialog.get_by_label("Queues to read").fill("5")
    dialog.get_by_label("Permission").select_option("read only")
    dialog.get_by_label("Attributes").fill("message.type=DELAY")
    apply.click()
    expect(dialog).to_be_hidden()
    expect(settings).to_contain_text("message.type=DELAY")
    expect(settings.get_by_role("cell").nth(2)).to_have_text("5")
    page.get_by_role("button", name="Delete…").click()
    delete = dialog.get_by_role("button", name="Delete the topic")
    expect(dialog.get_by_label("type its name")).to_be_focused()
    page.keyboard.type("return")
    expect(delete).to_be_disabled()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    page.keyboard.type("s")
    delete.click()
    expect(page.get_by_role("heading", name="Topics")).to_be_visible()
    expect(page.get_by_role("link", name="orders")).to_be_visible()
    expect(page.get_by_role("link", name="returns")).to_be_hidden()


def test_group_by_keyboard(console: Console, open_page: Open) -> None:
    """The same for a group, without a pointer."""
    page = open_page(console)
    page.goto(f"{console.url}#/groups")
    page.get_by_role("button", name="New group…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("returns")
    page.keyboard.press("Tab")
    expect(dialog.get_by_label("Retries", exact=True)).to_be_focused()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="returns")).to_be_focused()
    expect(page.get_by_text("No member is connected.")).to_be_visible()
    page.get_by_role("button", name="Change…").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Retries", exact=True)).to_have_value("3")
    may = dialog.get_by_role("combobox", name="May consume", exact=True)
    may.focus()
    page.keyboard.type("n")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Enter")
    may.focus()
    page.keyboard.type("n")
    expect(may).to_have_value("false")
    dialog.get_by_role("button", name="Change the group").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("This group may not consume.")).to_be_visible()
    page.get_by_role("button", name="Delete…").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("type its name")).to_be_focused()
    page.keyboard.type("returns")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Consumer groups")).to_be_focused()
    expect(page.get_by_role("link", name="returns")).to_be_hidden()


def test_connected_group(console: Console, open_page: Open) -> None:
    """A group whose members are connected says so, and wants one more word."""
    page = open_page(console)
    page.goto(f"{console.url}#/group?name=shipping")
    page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 member is connected.")
    page.keyboard.type("shipping")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("delete it although")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Members")).to_contain_text("PYTHON")


@pytest.mark.parametrize("scheme", ["light", "dark", "phone"])
def test_rules(
    console: Console,
    open_page: Open,
    axe_source: str,
    scheme: str,
    pictures: Path | None,
) -> None:
    """Nothing serious in any of the forms, which are no wider than a phone."""
    options = PHONE if scheme == "phone" else {"color_scheme": scheme}
    page = open_page(console, **options)
    for number, (address, button) in enumerate(
        (
            ("topics", "New topic…"),
            ("groups", "New group…"),
            ("topic?name=orders", "Change…"),
            ("group?name=shipping", "Change…"),
            ("topic?name=orders", "Delete…"),
            ("group?name=shipping", "Delete…"),
        )
    ):
        page.goto(f"{console.url}#/{address}")
        page.get_by_role("button", name=button).click()
        dialog = page.get_by_role("dialog")
        dialog.locator("input, select").first.wait_for()
        assert violations(page, axe_source) == [], address
        width = page.viewport_size["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth"), address
        if pictures is not None:
            page.screenshot(path=pictures / f"form-{number}-{scheme}.png")
        page.keyboard.press("Escape")
