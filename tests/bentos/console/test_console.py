"""The console in a real browser: each path, both themes, no console errors."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from .browsing import VIEWS, console, decide, load, look_at

pytestmark = pytest.mark.end_to_end


def test_an_application_is_decided_with_its_reasons(page: Page) -> None:
    load(page, example=3)
    decide(page)
    expect(page.locator("#view-score .waterfall")).to_be_visible()
    expect(page.locator("#view-score dl.facts code").first).to_have_text(
        re.compile("^[0-9a-f]{32}$")
    )


def test_scores_are_marks_and_times_name_their_zone(page: Page) -> None:
    load(page, example=3)
    answer = decide(page)
    waterfall = page.locator("#view-score .waterfall")
    bars = waterfall.locator(".bar.total")
    boxes = [bars.nth(place).bounding_box() for place in range(bars.count())]
    # No bar from somewhere on the axis, whose length would say nothing.
    assert [box and box["width"] for box in boxes] == [6, 6]
    record = page.locator("#view-score dl.facts").last
    expect(record).to_contain_text(f"{answer['scored_at'][11:19]} UTC")


def test_a_narrow_window_has_the_whole_history_in_sight(
    browser: Browser, url: str
) -> None:
    faults: list[str] = []
    narrow = {"width": 390, "height": 844}
    with console(browser, url, faults, viewport=narrow) as page:
        load(page, example=3)
        hidden = page.get_by_role("region", name="Account history").evaluate(
            "region => region.scrollWidth - region.clientWidth"
        )
    assert hidden == 0
    assert faults == []


def test_errors_are_shown_at_their_fields(page: Page) -> None:
    page.get_by_role("button", name="Example 1").first.click()
    page.get_by_label("Credit limit").first.fill("-5")
    page.get_by_role("button", name="Decide", exact=True).click()
    field = page.get_by_label("Credit limit").first
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()


def test_a_try_follows_a_moved_factor_and_ways_are_searched(page: Page) -> None:
    page.get_by_role("link", name="What if").click()
    expect(page.locator("#view-what-if .verdict")).to_be_visible()
    with page.expect_response("**/what-if") as asked:
        page.locator("#view-what-if .lever input[type=text]").first.fill("123")
    assert asked.value.json()["recorded"] is False
    with page.expect_response("**/what-if/approval") as searched:
        page.get_by_role("button", name="Search").click()
    assert searched.value.status == 200


def test_a_file_is_decided_filtered_and_downloaded(
    page: Page, applications: list[dict[str, Any]], tmp_path: Path
) -> None:
    rows = [*applications[:3], {"loan_id": "no application"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    page.get_by_role("link", name="Batch").click()
    page.set_input_files("#batch-file", tmp_path / "rows.json")
    page.get_by_role("button", name="Decide on the file").click()
    expect(page.locator(".results tbody tr")).to_have_count(4)
    page.locator("#filter-decision").select_option("error")
    expect(page.locator(".results tbody tr")).to_have_count(1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 5


def test_monitoring_and_model_show_what_the_service_says(page: Page) -> None:
    page.get_by_role("link", name="Monitoring").click()
    expect(page.get_by_role("heading", name="Traffic")).to_be_visible()
    page.get_by_role("link", name="Model", exact=True).click()
    expect(page.get_by_role("heading", name="Champion", exact=True)).to_be_visible()
    expect(page.get_by_text("for the tests")).to_be_visible()


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_figures_of_the_model_card_stand_below_each_other(page: Page) -> None:
    look_at(page, "model")
    table = page.get_by_role("region", name="Table: Split, Measure, Value, Interval")
    rows = table.locator("tr").evaluate_all(
        """rows => rows.map(row => [...row.cells].map(cell => {
            const style = getComputedStyle(cell);
            return [style.textAlign, style.fontVariantNumeric];
        }))"""
    )
    assert len(rows) > 1
    for *names, value, interval in rows:
        assert names == [["left", "normal"]] * 2
        assert [value, interval] == [["right", "tabular-nums"]] * 2


def test_the_keyboard_suffices(page: Page) -> None:
    page.get_by_role("button", name="Example 3").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Loan id").press("Enter")
    expect(page.locator("#view-score .verdict")).to_be_visible()


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
def test_axe_finds_nothing_serious(page: Page) -> None:
    load(page, example=3)
    decide(page)
    found = {}
    for view in VIEWS:
        look_at(page, view)
        violations = Axe().run(page).response["violations"]
        found[view] = [
            (v["id"], v["nodes"][0]["html"])
            for v in violations
            if v["impact"] in ("serious", "critical")
        ]
    assert not any(found.values()), found


def test_a_part_that_does_not_arrive_is_told(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/console/results.js", lambda route: route.abort())
    page.goto(f"{url}/console")
    expect(page.get_by_role("alert")).to_have_text(
        "The console did not arrive whole. Reload the page."
    )
    context.close()


def test_a_script_that_gets_into_the_page_does_not_run(
    browser: Browser, url: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/console")
    page.evaluate(
        "() => { const s = document.createElement('script');"
        " try { s.textContent = 'window.ran = true'; } catch { return; }"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None
    context.close()
