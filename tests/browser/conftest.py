"""Fixtures: a console of a real cluster, one of a pretended one, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.pretended import TOKEN
from tests.browser.programs import Program, await_page, axe
from tests.ports import free_port

#: Where Debian, and others, have it.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: Milliseconds that a page of a busy machine may take to show something.
PATIENCE_MS = 60_000


class Console:
    """A console that runs: its address, its token, and its application."""

    def __init__(self, url: str, token: str, application: Program | None) -> None:
        self.url = url
        self.token = token
        self._application = application

    @property
    def application(self) -> Program:
        """The application beside it."""
        assert self._application is not None
        return self._application


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Run a cluster with a console, and an application."""
    folder = tmp_path_factory.mktemp("console")
    names, broker, port = free_port(), free_port(), free_port()
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    config = folder / "broker.conf"
    config.write_text(f"consoleTokenFile={token}\nmaxConsoleTails=2\n")
    words = ["-m", "twisted", "rocketmq", "--memory", f"--config={config}"]
    words += [f"--listen=127.0.0.1:{broker}", f"--namesrv-listen=127.0.0.1:{names}"]
    words += ["--advertise=127.0.0.1", "--name=broker-a", f"--console={port}"]
    cluster = Program(*words, log=folder / "cluster.log")
    application: Program | None = None
    try:
        url = f"http://127.0.0.1:{port}/"
        await_page(url)
        words = ["-m", "tests.browser.application", f"127.0.0.1:{names}"]
        application = Program(*words, log=folder / "application.log")
        application.expect("ready")
        yield Console(url, TOKEN, application)
    finally:
        if application is not None:
            application.end()
        cluster.end()


@pytest.fixture(scope="session")
def pretended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """Run a console whose cluster is pretended."""
    port = free_port()
    log = tmp_path_factory.mktemp("pretended") / "log"
    program = Program("-m", "tests.browser.pretended", str(port), log=log)
    try:
        program.expect("ready")
        yield Console(f"http://127.0.0.1:{port}/", TOKEN, None)
    finally:
        program.end()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start the browser; without one, skip (but fail under CI)."""
    if CHROMIUM is None:
        reason = "there is no chromium; install it: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # Its sandbox does not work for root; it sees only pages of this program.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of axe-core."""
    return axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """
    Return a function that opens the console, signed in.

    Whatever the page reports as an error makes the test fail.
    """
    contexts: list[Any] = []
    problems: list[str] = []

    def note(message: Any) -> None:
        # What the console refuses is a line in the browser's console, too.
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    def open_it(console: Console, **options: Any) -> Any:
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 860}, **options}
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(console.url)
        page.get_by_label("Token").fill(console.token)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Cluster", exact=True).wait_for()
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Return where pictures of pages are to be written, if anybody wants them."""
    folder = os.environ.get("CONSOLE_PICTURES")
    return Path(folder) if folder else None
