"""The console shows what the API said: all of it, and nothing of its own."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from credit_scoring.monitoring.publication import (
    FORMAT,
    SUMMARY,
    Finding,
    Summary,
    Verdict,
    write_summary,
)

from .browsing import decide, look_at

pytestmark = pytest.mark.end_to_end

Json = dict[str, Any]

# The only words that are the letter's own.
LETTER = """DRAFT
{day}
Your application {loan_id}
Thank you for your application. We have looked at it and cannot approve it.
The principal reasons for our decision, the most important first:
{reasons}
The decision rests on the information in your application and your account history. \
It used a credit score and our credit policy. Sex, education, marriage, and age had \
no part in it.
If you believe that something we hold about you is wrong, or that circumstances have \
changed, please tell us. A person will look at it.
Reference of the decision: {decision_id}"""


@pytest.fixture(scope="module")
def bad_risk(browser: Browser, url: str, applications: list[Json]) -> Json:
    """An application that is declined for several reasons."""
    asked = browser.new_context().request
    for application in applications:
        answer = asked.post(f"{url}/what-if", data=application).json()
        if answer["decision"] == "decline" and len(answer["reasons"]) > 1:
            return application
    pytest.fail("none of the applications is declined for several reasons")


def open_letter(page: Page, application: Json) -> Json:
    """Decide on an application, open the letter, and give the API's answer."""
    form = page.locator("#view-score form")
    for name, value in application.items():
        field = form.locator(f'[id^="{name}-"]:is(input, select)')
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(str(value))
        else:
            field.fill(str(value))
    answer = decide(page)
    page.get_by_role("button", name="Letter to the applicant").click()
    return answer


def lines(text: str) -> str:
    """Leave empty lines out, which depend on the style."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def test_the_letter_says_the_reasons_and_nothing_that_the_api_did_not(
    page: Page, bad_risk: Json
) -> None:
    answer = open_letter(page, bad_risk)
    day = datetime.fromisoformat(answer["scored_at"])
    expected = LETTER.format(
        day=f"{day.day} {day:%B %Y}",
        loan_id=answer["loan_id"],
        reasons="\n".join(reason["text"] for reason in answer["reasons"]),
        decision_id=answer["decision_id"],
    )
    assert lines(page.get_by_role("dialog").locator("article").inner_text()) == expected


def test_the_letter_alone_is_printed(page: Page, bad_risk: Json) -> None:
    answer = open_letter(page, bad_risk)
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed") is True
    page.emulate_media(media="print")
    paper = lines(page.locator("dialog article").inner_text())
    assert answer["decision_id"] in paper
    assert lines(page.locator("body").inner_text()) == paper
    # At the top of the paper, and nothing dimmed around it.
    box = page.locator("dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["y"]) == (0, 0)
    dimmed = "getComputedStyle(document.querySelector('dialog'), '::backdrop').display"
    assert page.evaluate(dimmed) == "none"
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_theme_is_chosen_and_remembered(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    of_the_system = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        of_the_system[theme] = page.evaluate(ground)
    light, dark = (
        sum(map(int, re.findall(r"\d+", color))) for color in of_the_system.values()
    )
    assert light > 3 * 200 > 3 * 60 > dark
    # Each choice is made against what the system would have.
    for theme, system in (("light", "dark"), ("dark", "light")):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        page.locator("#theme").click()
        assert page.evaluate(ground) == of_the_system[theme]
        page.reload()
        expect(page.locator("#theme")).to_have_text(f"Theme: {theme}")
        assert page.evaluate(ground) == of_the_system[theme]
    assert page.evaluate("localStorage.length") == 1
    page.locator("#theme").click()
    assert page.evaluate(ground) == of_the_system["light"]


class Parts:
    """The parts of a file on their way to the API and back, the second one held."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Json] = []
        self._seen = 0
        self._held: list[Route] = []
        page.route("**/predict/batch?*", self._pass)

    def _pass(self, route: Route) -> None:
        self._seen += 1
        if self._seen == 2:
            self._held.append(route)
        else:
            self._ask(route)

    def _ask(self, route: Route) -> None:
        response = route.fetch()
        self.answers += response.json()
        route.fulfill(response=response)

    def let_go(self) -> None:
        self._ask(self._held.pop())


@pytest.fixture
def decided_file(
    page: Page, applications: list[Json], tmp_path: Path
) -> tuple[list[Json], list[Json]]:
    """Rows of a CSV file and the API's answers, which the page shows."""
    rows = [dict(row) for row in applications]
    rows[260]["credit_limit"] = -5
    with (tmp_path / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    look_at(page, "batch")
    parts = Parts(page)
    page.set_input_files("#batch-file", tmp_path / "rows.csv")
    page.get_by_role("button", name="Decide on the file").click()
    progress = page.get_by_role("progressbar")
    expect(page.get_by_text("250 of 300 rows decided")).to_be_visible()
    expect(progress).to_have_js_property("value", 250)
    expect(progress).to_have_js_property("max", 300)
    expect(page.locator(".results")).to_have_count(0)
    parts.let_go()
    expect(page.get_by_text("300 of 300 rows decided")).to_be_visible()
    expect(page.locator(".results tbody tr")).to_have_count(50)
    return rows, parts.answers


def shown(page: Page, column: str) -> list[str]:
    """Read a column of the table as it is on the screen."""
    heads = page.locator(".results thead th").all_inner_texts()
    place = next(i for i, head in enumerate(heads) if head.strip().startswith(column))
    cells = page.locator(f".results tbody tr > :nth-child({place + 1})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_a_csv_file_is_decided_in_parts_and_its_table_sorted_and_filtered(
    page: Page, decided_file: tuple[list[Json], list[Json]]
) -> None:
    _, answers = decided_file
    scores = sorted(a["score"] for a in answers if a.get("score") is not None)
    head = page.locator(".results th[data-name=score]")
    for direction, ranked in (("ascending", scores), ("descending", scores[::-1])):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        assert shown(page, "Score") == [f"{score:.1f}" for score in ranked[:50]]
    for decision, said in (("decline", "Declined"), ("approve", "Approved")):
        page.locator("#filter-decision").select_option(decision)
        wanted = [a for a in answers if a.get("decision") == decision]
        assert set(shown(page, "Decision")) == {said}
        expect(page.get_by_text(f"{len(wanted)} of 300 rows; showing")).to_be_visible()
    page.locator("#filter-decision").select_option("error")
    assert shown(page, "Application") == ["T-260"]
    assert shown(page, "Reasons")[0].startswith("credit_limit: ")
    page.locator("#filter-decision").select_option("")
    page.locator("#filter-text").fill("t-17")
    assert sorted(shown(page, "Application")) == [
        "T-17",
        *(f"T-17{n}" for n in range(10)),
    ]


def test_the_downloaded_file_holds_the_rows_of_the_api(
    page: Page, decided_file: tuple[list[Json], list[Json]]
) -> None:
    rows, answers = decided_file
    page.locator("#filter-decision").select_option("decline")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    assert saved.value.suggested_filename == "rows-decisions.csv"
    with saved.value.path().open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == len(rows) == len(answers)
    for place, (row, answer, line) in enumerate(zip(rows, answers, found, strict=True)):
        assert line["row"] == str(place + 1)
        assert line["loan_id"] == row["loan_id"]
        if "error" in answer:
            assert line["decision"] == "error"
            assert answer["error"]["errors"][0]["message"] in line["says"]
            continue
        assert float(line["score"]) == answer["score"]
        assert float(line["pd"]) == answer["pd"]
        assert line["says"] == " ".join(reason["text"] for reason in answer["reasons"])
        for name in ("decision", "band", "decision_id"):
            assert line[name] == answer[name]


@pytest.fixture
def findings(published: Path) -> Iterator[list[Finding]]:
    """What a monitoring run found, more of it wrong than a short list would hold."""
    verdicts: list[Verdict] = ["ok", "warn", "insufficient", "ok", "warn", "alert"] * 3
    found = [
        Finding(f"subject_{number}", verdict, f"what was found, {number}", 0.1)
        for number, verdict in enumerate(verdicts)
    ]
    now = datetime.now(UTC)
    write_summary(
        published,
        Summary(
            format=FORMAT, verdict="alert", computed_at=now, last_success_at=now,
            window_since=now, window_until=now, decisions=1000, findings=found,
            figures={}, report=None,
        ),
    )  # fmt: skip
    yield found
    (published / SUMMARY).unlink()


def test_what_is_gravest_comes_first_and_nothing_wrong_is_left_out(
    page: Page, findings: list[Finding]
) -> None:
    look_at(page, "monitoring")
    card = page.locator(
        ".card", has=page.get_by_role("heading", name="Last drift report")
    )
    expect(card.locator("li").first).to_be_visible()
    wrong = [
        f"{verdict} What was found, {finding.subject[8:]}."
        for verdict in ("alert", "warn", "insufficient")
        for finding in findings
        if finding.verdict == verdict
    ]
    assert len(wrong) == 12
    said = [" ".join(text.split()) for text in card.locator("li").all_inner_texts()]
    assert said[: len(wrong)] == wrong
