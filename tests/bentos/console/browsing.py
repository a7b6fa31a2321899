"""The console in Chromium, as its tests and its pictures open it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
VIEWS = ("score", "what-if", "batch", "monitoring", "model")
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
_WAIT_MS = 60_000
_OPENINGS = 10
_NETWORK_CHANGED = "ERR_NETWORK_CHANGED"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's browser until the block is left."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def console(
    browser: Browser, url: str, faults: list[str], **context: Any
) -> Iterator[Page]:
    """Open the console of the server at `url`; its errors are added to `faults`."""
    opened = browser.new_context(timezone_id="UTC", **context)
    opened.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    try:
        page = opened.new_page()
        _open(page, url)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: m.type == "error" and faults.append(m.text))
        yield page
    finally:
        # Also of a page that did not start: the next one has the browser to itself.
        opened.close()


def _open(page: Page, url: str) -> None:
    """Open the console, again where the machine's network changed meanwhile.

    Chromium drops what is on its way whenever an interface comes or goes, also from
    this machine, as with each container that another test starts.
    """
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda r: faults.append(f"{r.url}: {r.failure}"))
    for _ in range(_OPENINGS):
        faults.clear()
        # Aborted, or without some of its parts.
        with contextlib.suppress(Error):
            page.goto(f"{url}/console")
        # Shown at its end, or beside what the page says instead.
        first = page.locator("#view-score form, #trouble .notice").first
        with contextlib.suppress(AssertionError):
            expect(first).to_be_visible(timeout=_WAIT_MS)
        if not any(_NETWORK_CHANGED in fault for fault in faults):
            break
    assert page.locator("#view-score form").is_visible(), faults
    assert faults == []


def look_at(page: Page, view: str) -> None:
    """Turn to a view, and wait until there is something in it."""
    page.locator(f'.tabs a[href="#{view}"]').click()
    page.wait_for_selector(f"#view-{view} .card")


def load(page: Page, example: int) -> None:
    """Load an example into the form."""
    page.get_by_role("button", name=f"Example {example}", exact=True).click()


def decide(page: Page) -> dict[str, Any]:
    """Decide on what is in the form, and give the API's answer."""
    with page.expect_response("**/predict?*") as asked:
        page.get_by_role("button", name="Decide", exact=True).click()
    answer: dict[str, Any] = asked.value.json()
    expect(page.get_by_text(answer["decision_id"], exact=True)).to_be_visible()
    return answer
