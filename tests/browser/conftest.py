"""One browser for a module of tests, a fresh context for each page, and what the page says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.browser import chromium
from tests.conftest import CI


@dataclass
class Opened:
    """A page, and all that a quiet page would not do."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        """Note a dialog: our script opens none."""
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def _program() -> str:
    """Return chromium: installed in CI, else skipped with how to install it."""
    if CI:
        chromium.install()
    program = chromium.program()
    if program is None:
        pytest.skip(chromium.MISSING)
    return program


@pytest.fixture(scope="module")
def browser(_program: str) -> Iterator[Browser]:
    """A browser; not for the session, since its event loop runs for as long as it lives."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_program, args=chromium.FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a text as a page of a file."""
    contexts = []

    def opened(text: str, *, width: int = 1280, height: int = 900, **given: Any) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, **given)
        contexts.append(context)
        found = Opened(context.new_page())
        page = found.page
        page.on("request", lambda request: found.requests.append(request.url))
        page.on("console", lambda message: found.complaints.append(message.text))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("dialog", found.refuse)
        file = tmp_path / f"{len(contexts)}.html"
        file.write_text(text, "utf-8")
        page.goto(file.as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
