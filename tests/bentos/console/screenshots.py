"""Pictures of each view of the console, in both themes: `make screenshots`.

The Bento that was released here is served; its decisions are on rows of the shipped
data and are recorded in a folder that is removed at the end, as is what the monitoring
pipeline finds in them.
"""

import argparse
import gzip
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from credit_scoring.serve import RELEASE, choose_bento
from credit_scoring.serving.local_server import LocalServer

from .browsing import VIEWS, chromium, console, decide, load, look_at

ROWS = 1000
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}
THEMES = ("light", "dark")
_APPLICATIONS = Path("data/01_raw/taiwan_credit.csv.gz")
_OFTEN_LATE = 3


def cut(source: Path, target: Path) -> Path:
    """Write the first rows of the shipped data as a file to upload."""
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        target.write_text("".join(itertools.islice(lines, ROWS + 1)), encoding="utf-8")
    return target


def fill_views(page: Page, rows: Path) -> None:
    """Make each view show what it is for."""
    look_at(page, "batch")
    page.set_input_files("#batch-file", rows)
    page.get_by_role("button", name="Decide on the file").click()
    expect(page.locator(".results tbody tr")).not_to_have_count(0)
    look_at(page, "score")
    load(page, _OFTEN_LATE)
    decide(page)
    look_at(page, "what-if")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#view-what-if .way").first).to_be_visible()


def monitor(browser: Browser, url: str, rows: Path, folders: Mapping[str, str]) -> None:
    """Have the pipeline judge decisions on the rows as if today was over."""
    with console(browser, url, []) as page:
        fill_views(page, rows)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    as_of = f"monitoring.as_of={tomorrow}T02:00:00"
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--pipelines=monitoring",
         f"--params={as_of}"],
        env={**os.environ, **folders}, check=True,
    )  # fmt: skip


def take(page: Page, folder: Path, name: str, *, whole: bool = True) -> None:
    """Take a picture of the whole page, or of what the window shows."""
    page.screenshot(path=folder / f"{name}.png", full_page=whole)
    print(folder / f"{name}.png")  # noqa: T201 - progress


def take_letter(page: Page, folder: Path, name: str) -> None:
    """Take pictures of the letter, on the screen and on paper."""
    look_at(page, "score")
    page.get_by_role("button", name="Letter to the applicant").click()
    take(page, folder, name, whole=False)
    page.emulate_media(media="print")
    take(page, folder, f"{name}-printed")
    page.pdf(path=folder / f"{name}.pdf", format="A4")
    page.emulate_media(media="screen")


def take_all(browser: Browser, url: str, rows: Path, folder: Path) -> list[str]:
    """Take all pictures.

    Returns:
        Errors that the page had.
    """
    faults: list[str] = []
    for (size, (width, height)), theme in itertools.product(SIZES.items(), THEMES):
        viewport = {"width": width, "height": height}
        with console(
            browser, url, faults, viewport=viewport, color_scheme=theme
        ) as page:
            fill_views(page, rows)
            for view in VIEWS:
                look_at(page, view)
                take(page, folder, f"{view}-{size}-{theme}")
            take_letter(page, folder, f"letter-{size}-{theme}")
    return faults


def main() -> int:
    """Take pictures of the console as released here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("data/08_reporting/console")
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = cut(_APPLICATIONS, folder / "applications.csv")
        server = LocalServer(choose_bento(RELEASE), folder / "server.log")
        folders = {
            "CREDIT_SCORING_DECISION_LOG_DIR": str(folder / "decisions"),
            "CREDIT_SCORING_MONITORING_DIR": str(folder / "monitoring"),
        }
        with server.running(environment=folders) as url, chromium() as browser:
            monitor(browser, url, rows, folders)
            faults = take_all(browser, url, rows, options.output)
    for fault in faults:
        print(f"an error of the page: {fault}")  # noqa: T201 - a result
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
