"""The console in Chromium, as its tests and its pictures open it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
VIEWS = ("score", "what-if", "batch", "monitoring", "model")
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
_WAIT_MS = 60_000


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
    page = opened.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.set_default_timeout(_WAIT_MS)
    expect.set_options(timeout=_WAIT_MS)
    page.goto(f"{url}/console")
    # Shown at its end, or beside what the page says instead.
    expect(page.locator("#view-score form, #trouble .notice").first).to_be_visible()
    assert page.locator("#trouble").inner_text() == "", faults
    yield page
    opened.close()


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
