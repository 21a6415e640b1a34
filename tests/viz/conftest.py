"""A real browser for the tests of pages: Playwright drives the chromium of the system."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for the tests of a file, and no longer: beside Playwright's event loop no other can run."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium is installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Callable[..., Any]]:
    """`page(path, width=…, height=…, …)` opens a file in a window of its own, without a network.

    The window's other settings are those of Playwright's `new_context`. When the test ends, nothing may have been
    written to any console, and nothing may have been asked for but the files (and the pages that stand in them).
    """
    windows: list[Any] = []
    said: list[str] = []
    asked: list[str] = []
    opened: list[str] = []

    def open_(path: Any = None, width: int = 1280, height: int = 900, **settings: Any) -> Any:
        window = browser.new_context(viewport={"width": width, "height": height}, offline=True, **settings)
        windows.append(window)
        page = window.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        if path is not None:
            opened.append(path.resolve().as_uri())
            page.goto(opened[-1])
        return page

    yield open_
    for window in windows:
        window.close()
    assert said == []
    assert [url for url in asked if url != "about:srcdoc"] == opened


@pytest.fixture(scope="module")
def page_of(browser: Any) -> Callable[[str], Any]:
    """One window for many pages, given as text."""
    page = browser.new_page()

    def show(html: str) -> Any:
        page.set_content(html)
        return page

    return show
