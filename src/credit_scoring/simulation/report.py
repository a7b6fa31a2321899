"""The report of a simulated year: plots, and one page that loads nothing."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from credit_scoring.challenge.plots import plot_looks
from credit_scoring.challenge.report import inline
from credit_scoring.evaluation.plots import BAD, GOOD, LINE, PALE
from credit_scoring.simulation.noticing import Window

_DPI = 100
_LEAST = 1e-12


def plot_windows(
    windows: Sequence[Window], *, alpha: float, drift_at: int | None
) -> Figure:
    """Draw each window's p-value, the alarm's line, and where the drift began.

    Args:
        windows: In order.
        alpha: Below it there is an alarm.
        drift_at: Count of decisions before the drift; None without one.
    """
    figure = Figure(figsize=(7.0, 3.6), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    ends = [window.end for window in windows]
    values = [max(window.p_value, _LEAST) for window in windows]
    colours = [BAD if window.p_value < alpha else GOOD for window in windows]
    axes.scatter(ends, values, c=colours, s=18)
    axes.axhline(alpha, color=LINE, linewidth=0.8, linestyle="--", label="alarm below")
    if drift_at is not None:
        axes.axvline(drift_at, color=PALE, label="drift begins")
    axes.set(
        yscale="log",
        xlabel="decisions",
        ylabel="p of the furthest, by Holm",
        title="Windows of decisions against training",
    )
    axes.legend(loc="lower left")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw(year: Mapping[str, Any], *, alpha: float) -> dict[str, Figure]:
    """Draw a year: its windows, and the looks at its first challenger."""
    windows = [Window(**window) for window in year["windows"]]
    pictures = {
        "windows": plot_windows(windows, alpha=alpha, drift_at=year["drift_at"])
    }
    first = [
        look
        for look in year["looks"]
        if look["challenger"] == year["looks"][0]["challenger"] and look["measures"]
    ]
    if first:
        pictures["looks"] = plot_looks(first, year["primary"])
    return pictures


def write_pictures(years: Mapping[str, Any], folder: Path, *, alpha: float) -> None:
    """Write the pictures of each year as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, year in years.items():
        for what, figure in draw(year, alpha=alpha).items():
            figure.savefig(folder / f"simulated-year-{name}-{what}.png")


def summary_lines(found: Mapping[str, Any]) -> list[str]:
    """Say in lines what came out, for who waits at a terminal.

    Args:
        found: As `credit_scoring.simulation.simulating.simulate` gives it.
    """
    noticing = found["noticing"]
    lines = [line for year in found["years"].values() for line in _year_lines(year)]
    facts = {
        "False alarms": f"{noticing['false_windows']:,} of {noticing['windows']:,} "
        f"windows without drift, in {noticing['false_years']:,} of "
        f"{noticing['years']:,} years",
        "Drift": f"noticed {_later(noticing['median_delay'])} in the median of as many "
        f"years with it, {_later(noticing['longest_delay'])} in the slowest",
    }
    return [*lines, *(f"{name:<12}  {text}" for name, text in facts.items())]


def _year_lines(year: Mapping[str, Any]) -> Iterator[str]:
    yield year["title"]
    acted = [one for one in year["verdicts"] if one["record"]]
    for one in acted:
        yield f"  {'month':<10}  {one['month'] + 1}: {one['verdict']}; {one['why']}"
    if not acted:
        yield f"  {'challenger':<10}  neither promoted nor retired within the year"
    well = sum(one["verdict"] == "ok" for one in year["monitored"])
    yield f"  {'monitoring':<10}  {well} of {len(year['monitored'])} windows ok"
    begin = year["drift_at"]
    if begin is not None:
        since = [
            _later(None if year[name] is None else year[name] - begin)
            for name in ("noticed_at", "monitoring_noticed_at")
        ]
        yield (
            f"  {'drift':<10}  after {begin:,} decisions; noticed {since[0]}, by the "
            f"monitoring pipeline {since[1]}"
        )


def _later(decisions: int | None) -> str:
    return "never" if decisions is None else f"{decisions:,} decisions later"


def simulation_page(found: Mapping[str, Any]) -> str:
    """Lay the report out as a page of HTML.

    Args:
        found: As `credit_scoring.simulation.simulating.simulate` gives it.
    """
    environment = Environment(
        loader=PackageLoader("credit_scoring.simulation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    alpha = found["noticing"]["alpha"]
    pictures = {
        name: [
            (what, inline(figure)) for what, figure in draw(year, alpha=alpha).items()
        ]
        for name, year in found["years"].items()
    }
    template = environment.get_template("simulated_year.html")
    return template.render(found=found, pictures=pictures)
