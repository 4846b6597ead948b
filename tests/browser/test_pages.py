"""All pages: by axe-core's rules, on a phone, by keyboard, and with hostile names."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Console
from tests.browser.pretended import HOSTILE

Open = Callable[..., Any]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
#: Each page, by the name of its picture, and what is there once it is complete.
PAGES = {
    "cluster": ("cluster", "table"),
    "topics": ("topics", "table"),
    "topic": ("topic?name=orders", "table"),
    "groups": ("groups", "table"),
    "group": ("group?name=shipping", "table"),
    "clients": ("clients", "table"),
    "messages": ("messages?by=time&topic=orders", "table"),
    "dead-letters": ("dead-letters", "table"),
    "dead-letters-of-group": ("dead-letters?group=billing", "table"),
    "send": ("send?topic=orders", "form"),
}
#: The impacts of a broken rule that count.
_SERIOUS = ("serious", "critical")


def violations(page: Any, source: str) -> list[str]:
    """Return what axe-core finds on a page: rules, and where they are broken."""
    page.evaluate(source)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]


def visit(page: Any, console: Console, name: str) -> None:
    """Go to a page, and wait until it is complete."""
    address, sign = PAGES[name]
    page.goto(f"{console.url}#/{address}")
    page.locator(f"main {sign}").first.wait_for()


def visit_one(page: Any, console: Console, inner: str) -> None:
    """Go to the page of a message, or of a client."""
    if inner == "message":
        page.goto(f"{console.url}#/messages?by=key&topic=orders&key=k1")
        page.get_by_role("region", name="Messages").get_by_role("link").first.click()
        page.get_by_label("Body", exact=True).wait_for()
    else:
        visit(page, console, "group")
        page.get_by_role("region", name="Members").get_by_role("link").first.click()
    page.get_by_role("table").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rules(
    console: Console,
    open_page: Open,
    axe_source: str,
    scheme: str,
    pictures: Path | None,
) -> None:
    """Nothing serious on any page: names, roles, contrasts, focus."""
    page = open_page(console, color_scheme=scheme)
    found = {}
    for name in (*PAGES, "message", "client"):
        if name in PAGES:
            visit(page, console, name)
        else:
            visit_one(page, console, name)
        found[name] = violations(page, axe_source)
        if pictures is not None:
            page.screenshot(path=pictures / f"{name}-{scheme}.png")
    visit(page, console, "group")
    page.get_by_role("button", name="Reset offsets…").click()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("dialog").get_by_role("table").wait_for()
    found["reset"] = violations(page, axe_source)
    if pictures is not None:
        page.screenshot(path=pictures / f"reset-{scheme}.png")
    assert {name: each for name, each in found.items() if each} == {}
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Token").wait_for()
    assert violations(page, axe_source) == []


def test_colours(console: Console, open_page: Open) -> None:
    """The switch goes from the system's colours to light, to dark, and stays there."""
    page = open_page(console, color_scheme="light")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Colours: system").click()
    assert page.evaluate(colour) == light
    page.get_by_role("button", name="Colours: light").click()
    assert page.evaluate(colour) != light
    page.reload()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert page.evaluate(colour) != light


def test_phone(
    console: Console, open_page: Open, axe_source: str, pictures: Path | None
) -> None:
    """No page is wider than a phone; what is wide moves within its own frame."""
    page = open_page(console, **PHONE)
    for name in (*PAGES, "message", "client"):
        if name in PAGES:
            visit(page, console, name)
        else:
            visit_one(page, console, name)
        wide = "document.documentElement.scrollWidth"
        assert page.evaluate(wide) <= 390, name
        assert violations(page, axe_source) == [], name
        if pictures is not None:
            page.screenshot(path=pictures / f"{name}-phone.png")


def test_keyboard(console: Console, chromium: Any) -> None:
    """From signing in to a reset, without a pointer."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(console.url)
    expect(page.get_by_label("Token")).to_be_focused()
    page.keyboard.type(console.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.reload()
    expect(page.get_by_text("All is well.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(page.get_by_role("heading", name="Consumer groups")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("shipp")
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="shipping")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="shipping")).to_be_focused()
    page.get_by_role("button", name="Reset offsets…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("go to Dead letters")
    context.close()


def test_focus_stays(console: Console, open_page: Open) -> None:
    """A page that is updated leaves the focus where it was."""
    page = open_page(console)
    visit(page, console, "topics")
    page.get_by_role("link", name="orders").focus()
    with page.expect_response("**/api/topics?*"):
        page.keyboard.press("r")
    expect(page.get_by_role("link", name="orders")).to_be_focused()


def test_hostile_names(
    pretended: Console, open_page: Open, pictures: Path | None
) -> None:
    """Names that are HTML, scripts or controls are shown as the text that they are."""
    page = open_page(pretended)
    expect(page.get_by_role("region", name="Brokers")).to_contain_text(HOSTILE[0])
    expect(page.locator("main")).to_contain_text("\\u202egnp.evil")
    expect(page.locator("main")).to_contain_text("line\\u000afeed\\u001b[31m")
    if pictures is not None:
        page.screenshot(path=pictures / "hostile-cluster.png")
    for number, name in enumerate(HOSTILE):
        page.goto(f"{pretended.url}#/topics?search={quote(name)}")
        expect(page.locator("main")).to_contain_text(f"{HOSTILE[2]} could not be asked")
        link = page.get_by_role("region", name="Topics").get_by_role("link").first
        link.hover()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("region", name="Queues")).to_be_visible()
        if pictures is not None and number == 0:
            page.screenshot(path=pictures / "hostile-topic.png")
    page.goto(f"{pretended.url}#/clients")
    expect(page.get_by_role("region", name="Clients")).to_contain_text(HOSTILE[1])
    assert page.evaluate("window.harmed") is None
    assert page.locator("main img, main script, main [onmouseover]").count() == 0


def test_ten_thousand_topics(
    pretended: Console, open_page: Open, pictures: Path | None
) -> None:
    """A page of many is as quick as any: 50 come, and a search looks at all."""
    page = open_page(pretended)
    began = time.monotonic()
    page.goto(f"{pretended.url}#/topics")
    expect(page.get_by_text("1–50 of 10,010")).to_be_visible()
    assert time.monotonic() - began < 5
    assert page.get_by_role("row").count() == 51
    if pictures is not None:
        page.screenshot(path=pictures / "many-topics.png")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("51–100 of 10,010")).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.get_by_label("Search topics").fill("topic-0999")
    expect(page.get_by_text("1–10 of 10")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1–10 of 10")).to_be_visible()


def test_other_sites(console: Console, chromium: Any) -> None:
    """A page of another site can neither read, nor do, nor frame anything."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(console.url)
    page.get_by_label("Token").fill(console.token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("All is well.")).to_be_visible()
    other = context.new_page()
    other.goto("data:text/html,<title>another site</title>")
    send = """async (url) => {
        const body = JSON.stringify({topic: "orders", body: "Zm9yZ2Vk"});
        const ways = [
            {method: "POST", body, mode: "no-cors", credentials: "include"},
            {method: "POST", body, credentials: "include",
             headers: {"Content-Type": "application/json"}},
            {method: "GET", credentials: "include"},
        ];
        const results = [];
        for (const options of ways) {
            try {
                const response = await fetch(url + "api/message?id=x", options);
                results.push(response.type);
            } catch (error) { results.push("refused"); }
        }
        return results;
    }"""
    # A request without a response that one may read is sent, and refused here.
    assert set(other.evaluate(send, console.url)) <= {"refused", "opaque"}
    page.goto(f"{console.url}#/messages?by=time&topic=orders")
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("region", name="Messages", exact=True)).not_to_contain_text(
        "forged"
    )
    context.close()
