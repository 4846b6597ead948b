"""What one does in the console, in a cluster that runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.application import HOSTILE
from tests.browser.conftest import Console
from tests.browser.programs import Relay

Open = Callable[..., Any]


def test_sign_in(console: Console, chromium: Any) -> None:
    """A wrong token is refused; the right one lasts until one signs out."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(console.url)
    expect(page.get_by_label("Token")).to_be_focused()
    page.get_by_label("Token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("the token is wrong")
    page.get_by_label("Token").fill(console.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("All is well.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("All is well.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Token")).to_be_visible()
    context.close()


def test_cluster(console: Console, open_page: Open) -> None:
    """The broker is there, and the plots show what was sampled."""
    page = open_page(console)
    brokers = page.get_by_role("region", name="Brokers")
    expect(brokers.get_by_role("row").nth(1)).to_contain_text("broker-a")
    plot = page.locator("svg[role=img]").first
    expect(plot.locator("path.series").first).to_be_attached()
    label = plot.get_attribute("aria-label")
    assert label.startswith("Messages per second, now: stored "), label


def test_topics_and_groups(console: Console, open_page: Open) -> None:
    """From the list to a topic, to a group, to one of its members."""
    page = open_page(console)
    page.get_by_role("link", name="Topics").click()
    page.get_by_label("Search topics").fill("ord")
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    page.get_by_role("link", name="orders").click()
    expect(page.get_by_role("heading", name="orders")).to_be_visible()
    page.get_by_role("link", name="shipping").click()
    expect(page.get_by_role("heading", name="shipping")).to_be_visible()
    members = page.get_by_role("region", name="Members")
    members.get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Queues")).to_contain_text("orders")
    page.get_by_role("link", name="Clients").first.click()
    expect(page.get_by_role("region", name="Clients")).to_contain_text("PYTHON")


def test_messages(console: Console, open_page: Open) -> None:
    """Messages are found by time, by key and by id; a body is shown as what it is."""
    page = open_page(console)
    page.get_by_role("link", name="Messages").click()
    page.get_by_label("Topic").fill("orders")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("25 messages, and there are more")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("43 messages")).to_be_visible()
    page.get_by_role("radio", name="Key").check()
    page.get_by_role("textbox", name="Key").fill("k7")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 message", exact=True)).to_be_visible()
    page.get_by_role("region", name="Messages").get_by_role("link").first.click()
    body = page.get_by_label("Body", exact=True)
    expect(body).to_have_text('{\n  "order": 12345678901234567897,\n  "paid": true\n}')
    page.get_by_role("radio", name="Hex").check()
    expect(body).to_contain_text("00000000  7b 22 6f 72 64 65 72")
    expect(page.get_by_role("region", name="Consumer groups")).to_contain_text(
        "consumed"
    )
    number = page.get_by_role("heading", level=1).locator("bdi").inner_text()
    page.get_by_role("link", name="Messages").first.click()
    page.get_by_role("radio", name="Id").check()
    page.get_by_label("Message id").fill(number)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Body", exact=True)).to_contain_text('"paid": true')


def open_body(page: Any, console: Console, key: str) -> Any:
    """Show the body of the message with a key; return where it is."""
    page.goto(f"{console.url}#/messages?by=key&topic=orders&key={key}")
    page.get_by_role("region", name="Messages").get_by_role("link").first.click()
    return page.get_by_label("Body", exact=True)


def test_bodies(console: Console, open_page: Open) -> None:
    """HTML is text, bytes are hexadecimal, and of 3 MiB the beginning is shown."""
    page = open_page(console)
    body = open_body(page, console, "hostile")
    expect(body).to_have_text(HOSTILE.replace("\u202e", "\\u202e"))
    assert page.title().endswith("RocketMQ")
    body = open_body(page, console, "binary")
    expect(body).to_contain_text("000000f0  f0 f1 f2")
    body = open_body(page, console, "large")
    expect(page.get_by_text("The beginning of 3.0 MiB.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text("The beginning of 3.0 MiB.")).to_be_hidden()
    assert body.evaluate("e => e.textContent.length") == 3 << 20


def test_tail(console: Console, open_page: Open) -> None:
    """What is sent now appears now, until the tail is stopped."""
    page = open_page(console)
    page.goto(f"{console.url}#/messages?by=tail&topic=orders")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Waiting for messages since")).to_be_visible()
    expect(page.get_by_text("newest first, live")).to_be_visible()
    shown = page.get_by_role("region", name="Messages")
    console.application.write("send orders seen-live")
    expect(shown).to_contain_text("seen-live")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("newest first, stopped")).to_be_visible()


def test_tail_goes_on(console: Console, open_page: Open) -> None:
    """A connection that was lost is made again, and the page says what is missing."""
    relay = Relay(int(console.url.rpartition(":")[2].strip("/")))
    try:
        url = f"http://127.0.0.1:{relay.port}/"
        page = open_page(Console(url, console.token, None))
        page.goto(f"{url}#/messages?by=tail&topic=orders")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("Waiting for messages since")).to_be_visible()
        relay.cut()
        expect(page.get_by_text("The connection was lost at")).to_be_visible()
        relay.heal()
        expect(page.get_by_text("There was no connection from")).to_be_visible()
        console.application.write("send orders seen-again")
        shown = page.get_by_role("region", name="Messages")
        expect(shown).to_contain_text("seen-again")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("newest first, stopped")).to_be_visible()
    finally:
        relay.close()


def test_tail_waits_for_topic(console: Console, open_page: Open) -> None:
    """Until a broker that was restarted has registered, nobody knows its topics."""
    relay = Relay(int(console.url.rpartition(":")[2].strip("/")))
    try:
        url = f"http://127.0.0.1:{relay.port}/"
        page = open_page(Console(url, console.token, None))
        page.goto(f"{url}#/messages?by=tail&topic=orders")
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("Waiting for messages since")).to_be_visible()
        unknown = {"error": "there is no topic of this name yet"}
        page.route("**/api/tail?*", lambda r: r.fulfill(status=404, json=unknown))
        relay.cut()
        expect(page.get_by_text("there is no topic of this name yet")).to_be_visible()
        expect(page.get_by_text("The connection was lost at")).to_be_visible()
        page.unroute("**/api/tail?*")
        relay.heal()
        expect(page.get_by_text("There was no connection from")).to_be_visible()
    finally:
        relay.close()


def test_send(console: Console, open_page: Open) -> None:
    """A test message is stored, and a mistake is named."""
    page = open_page(console)
    page.goto(f"{console.url}#/send?topic=orders")
    page.get_by_label("Body").fill("sent by hand: é")
    page.get_by_label("Properties").fill("no sign")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("“no sign” is not name=value.")
    page.get_by_label("Properties").fill("a = b")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".note.good")).to_contain_text("Sent to broker-a/")
    page.locator(".note.good").get_by_role("link").click()
    expect(page.get_by_label("Body", exact=True)).to_have_text("sent by hand: é")


def test_many_members(console: Console, open_page: Open) -> None:
    """A group of 20,000 members does not break its page: some of them are drawn."""
    page = open_page(console)

    def multiply(route: Any) -> None:
        found = route.fetch().json()
        [member] = found["members"]
        found["members"] = [
            {**member, "client_id": f"member-{n:05}"} for n in range(20_000)
        ]
        route.fulfill(json=found)

    page.route("**/api/group?*", multiply)
    page.goto(f"{console.url}#/group?name=shipping")
    members = page.get_by_role("region", name="Members")
    expect(members).to_contain_text("member-00499")
    expect(members).to_contain_text("The first 500 of 20,000 are shown here.")
    expect(members.locator("tbody tr")).to_have_count(500)


def test_reset(console: Console, open_page: Open) -> None:
    """A reset says what it means, is done when confirmed, and the group consumes."""
    page = open_page(console)
    page.goto(f"{console.url}#/group?name=shipping")
    page.get_by_role("button", name="Reset offsets…").click()
    dialog = page.get_by_role("dialog")
    apply = dialog.get_by_role("button", name="Reset offsets", exact=True)
    expect(apply).to_be_disabled()
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog).to_contain_text("will be consumed again")
    expect(dialog).to_contain_text("1 member is connected")
    apply.click()
    expect(page.get_by_role("status").last).to_contain_text("queues reset")
    expect(dialog).to_be_hidden()


def test_dead_letters(console: Console, open_page: Open) -> None:
    """A dead letter is found, sent again, and consumed by a program in its group."""
    page = open_page(console)
    page.get_by_role("link", name="Dead letters").click()
    groups = page.get_by_role("region", name="Dead letters")
    expect(groups.get_by_role("row").nth(1)).to_contain_text("3")
    groups.get_by_role("link", name="billing").click()
    page.get_by_role("radio", name="Words").check()
    page.get_by_label("Words in what is listed").fill("invoice-1")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 dead letter; 3 looked at", exact=True)).to_be_visible()
    page.get_by_label("Choose the message").check()
    console.application.write("repair")
    console.application.expect("repaired")
    page.get_by_role("button", name="Send 1 again…").click()
    page.get_by_role("button", name="Send 1 message").click()
    expect(page.get_by_text("1 message was sent again")).to_be_visible()
    console.application.expect("billed invoice-1")
    page.get_by_role("radio", name="All").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("3 dead letters", exact=True)).to_be_visible()
    page.get_by_label("Choose all").check()
    page.get_by_role("button", name="Send 3 again…").click()
    page.get_by_role("button", name="Send 3 messages").click()
    expect(page.get_by_text("3 messages were sent again")).to_be_visible()
    console.application.expect_all({f"billed invoice-{n}" for n in range(3)})
