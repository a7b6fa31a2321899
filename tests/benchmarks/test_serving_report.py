"""What is said of measurements: medians, ratios of the same round, bars, tables."""

import json
from pathlib import Path

import pytest
from serving_report import PLOT, Measurement, Report, renewed, write_report

PAGE = "# Performance\n\n<!-- figures -->\nold\n<!-- end of figures -->\n\nThe end.\n"
TITLES = {
    "service": "this service",
    "echo_bentoml": "echo",
    "echo_uvicorn": "another echo",
    "fastapi_full": "FastAPI",
    "mlflow": "MLflow",
}
# Requests a second in each of three rounds; the machine is slower in the second.
RPS = {
    "service": (6000, 3000, 6600),
    "echo_bentoml": (12000, 6000, 12000),
    "echo_uvicorn": (15000, 7500, 15000),
    "fastapi_full": (300, 150, 300),
    "mlflow": (150, 75, 150),
}


def measured(server: str, rps: float, *, connections: int, errors: int = 0):
    return Measurement(
        server=server,
        connections=connections,
        requests=int(2 * rps),
        errors=errors,
        seconds=2.0,
        cpu_us=1e6 / rps,
        p50_ms=1e3 / rps,
        p99_ms=5e3 / rps,
    )


def report_of(rps=RPS, *, connections=(1, 16), errors=0) -> Report:
    rounds = [
        measured(server, figures[number], connections=n, errors=errors)
        for number in range(3)
        for n in connections
        for server, figures in rps.items()
    ]
    return Report(
        titles={name: TITLES[name] for name in rps},
        rounds=tuple(rounds),
        start_seconds=dict.fromkeys(rps, 2.5),
        worker_mb=dict.fromkeys(rps, 180.0),
        load_before=0.25,
    )


@pytest.fixture
def report() -> Report:
    return report_of()


def bar(report: Report, what: str):
    (found,) = [one for one in report.bars() if one.what == what]
    return found


def test_figures_are_medians_over_the_rounds(report: Report) -> None:
    figures = report.figures("service", 16)
    assert figures.rps == 6000
    assert figures.cpu_us == pytest.approx(1e6 / 6000)
    assert figures.errors == 0


def test_ratios_are_of_the_same_round(report: Report) -> None:
    # Medians of their own would give 6000 / 300, too; the rounds give 20, 20, 22.
    assert report.ratio("rps", "fastapi_full", 1) == 20
    slow = {**RPS, "fastapi_full": (300, 100, 330)}
    assert report_of(slow).ratio("rps", "fastapi_full", 1) == 20


def test_of_two_echoes_the_faster_one_counts(report: Report) -> None:
    found = bar(report, "requests/s over the echo, 16 connections")
    assert found.found == pytest.approx(0.4)
    assert found.reached
    cpu = bar(report, "CPU a request over the echo, 1 connection")
    assert cpu.found == pytest.approx(2.5)
    assert (cpu.bar, cpu.at_least, cpu.reached) == (4, False, True)


def test_a_bar_that_is_not_reached_is_said_to_be_missed() -> None:
    report = report_of({**RPS, "fastapi_full": (600, 300, 600)})
    found = bar(report, "requests/s over FastAPI with the same full work, 1 connection")
    assert (found.found, found.reached) == (10, False)
    assert "10.00 | at least 15 | **missed**" in renewed(PAGE, report)


def test_errors_of_the_service_miss_a_bar_of_their_own() -> None:
    found = bar(report_of(errors=1), "errors")
    assert (found.found, found.reached) == (6, False)


def test_servers_that_were_not_measured_have_no_bars() -> None:
    report = report_of({"service": RPS["service"]})
    assert {one.what for one in report.bars()} == {
        "p99 in ms, 16 connections",
        "memory of the worker in MB",
        "start to first answer in s",
        "errors",
    }
    assert report_of({"mlflow": RPS["mlflow"]}).bars() == []


def test_only_the_figures_of_a_page_are_replaced(report: Report) -> None:
    page = renewed(PAGE, report)
    assert page.startswith("# Performance\n\n<!-- figures -->\n")
    assert page.endswith("<!-- end of figures -->\n\nThe end.\n")
    assert "old" not in page
    assert "| this service | 1 | 6,000 |" in page
    assert "load average of the machine before: 0.25" in page
    assert "![Requests a second of each server](images/serving.png)" in page
    assert renewed(page, report) == page


def test_a_page_without_a_place_for_figures_is_refused(report: Report) -> None:
    with pytest.raises(ValueError, match="the page has no <!-- figures --> "):
        renewed("# Performance\n", report)


@pytest.mark.parametrize("markdown", [False, True])
def test_everything_is_written(
    report: Report,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    markdown: bool,
) -> None:
    page = tmp_path / "docs/reference/performance.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE)
    write_report(report, tmp_path, markdown=markdown)
    assert "FastAPI with the same full work" in capsys.readouterr().out
    folder = tmp_path / "data/08_reporting/benchmarks"
    written = json.loads((folder / "serving.json").read_bytes())
    assert len(written["rounds"]) == len(report.rounds)
    assert written["rounds"][0]["rps"] == 6000
    assert (folder / "serving.png").read_bytes().startswith(b"\x89PNG")
    assert (page.read_text() != PAGE) is markdown
    assert (tmp_path / PLOT).exists() is markdown


def test_the_page_of_the_documentation_has_a_place_for_figures(report: Report) -> None:
    page = Path(__file__).parents[2] / "docs/reference/performance.md"
    assert "| this service | 16 | 6,000 |" in renewed(page.read_text(), report)
