"""One browser a module, and the console opened in it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from .browsing import CHROMIUM, chromium, console


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing (Debian: apt-get install chromium)")
    with chromium() as browser:
        yield browser


@pytest.fixture(params=["light"])
def page(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The open console; an error in its console fails the test."""
    faults: list[str] = []
    with console(browser, url, faults, color_scheme=request.param) as page:
        yield page
    # A browser names each 400 in its console; the page handles it.
    assert [f for f in faults if "400" not in f] == []
