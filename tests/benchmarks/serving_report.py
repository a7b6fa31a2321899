"""What the benchmark found: medians over the rounds, bars, a table and a plot."""

import json
import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = "service"
ECHOES = ("echo_bentoml", "echo_uvicorn")
FULL_PEERS = ("fastapi_full", "fastapi_full_compiled")
SCORING_PEERS = ("fastapi_scoring", "bentoml_quick_start", "mlflow")
FOLDER = Path("data/08_reporting/benchmarks")
PAGE = Path("docs/reference/performance.md")
PLOT = Path("docs/reference/images/serving.png")
_BEGIN, _END = "<!-- figures -->\n", "<!-- end of figures -->\n"


@dataclass(frozen=True)
class Measurement:
    """One round of load on one server."""

    server: str
    connections: int
    requests: int
    errors: int
    seconds: float
    cpu_us: float
    p50_ms: float
    p99_ms: float

    @property
    def rps(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds


@dataclass(frozen=True)
class Figures:
    """Medians over the rounds of one server under one number of connections."""

    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int


@dataclass(frozen=True)
class Bar:
    """What the service must reach, and what it reaches."""

    what: str
    found: float
    bar: float
    at_least: bool

    @property
    def reached(self) -> bool:
        """Whether it is reached."""
        return self.found >= self.bar if self.at_least else self.found <= self.bar


@dataclass(frozen=True)
class Report:
    """Everything that was found.

    Attributes:
        titles: Name -> what the server does, ours first.
        rounds: In the order in which they were measured.
        start_seconds: Name -> from the start to the first answer.
        worker_mb: Name -> resident memory after the last round.
        load_before: Load average of the machine before the first server started.
    """

    titles: Mapping[str, str]
    rounds: tuple[Measurement, ...]
    start_seconds: Mapping[str, float]
    worker_mb: Mapping[str, float]
    load_before: float = 0.0

    def figures(self, server: str, connections: int) -> Figures:
        """Take medians over the rounds."""
        own = self.of(server, connections)
        return Figures(
            rps=statistics.median(m.rps for m in own),
            p50_ms=statistics.median(m.p50_ms for m in own),
            p99_ms=statistics.median(m.p99_ms for m in own),
            cpu_us=statistics.median(m.cpu_us for m in own),
            errors=sum(m.errors for m in own),
        )

    def of(self, server: str, connections: int) -> list[Measurement]:
        """Give a server's rounds, in order."""
        return [
            m
            for m in self.rounds
            if m.server == server and m.connections == connections
        ]

    def ratio(self, figure: str, other: str, connections: int) -> float:
        """Ours over another's, each pair in the same round; the median of them."""
        pairs = zip(
            self.of(OURS, connections), self.of(other, connections), strict=True
        )
        return statistics.median(
            getattr(mine, figure) / getattr(theirs, figure) for mine, theirs in pairs
        )

    @property
    def connections(self) -> tuple[int, ...]:
        """Numbers of connections, rising."""
        return tuple(sorted({m.connections for m in self.rounds}))

    def bars(self) -> list[Bar]:
        """Compare with what the service must reach, where both were measured.

        Of several peers of a kind the one counts that leaves the smallest lead.
        """
        if OURS not in self.titles:
            return []
        found = [bar for n in self.connections for bar in self._bars_at(n)]
        if 16 in self.connections:
            p99 = self.figures(OURS, 16).p99_ms
            found.append(Bar("p99 in ms, 16 connections", p99, 10, at_least=False))
        errors = sum(m.errors for m in self.rounds if m.server == OURS)
        return [
            *found,
            Bar("memory of the worker in MB", self.worker_mb[OURS], 300, False),
            Bar("start to first answer in s", self.start_seconds[OURS], 5, False),
            Bar("errors", errors, 0, at_least=False),
        ]

    def _bars_at(self, n: int) -> list[Bar]:
        at = f"{n} connection{'s' if n > 1 else ''}"
        wanted = [
            ("requests/s over FastAPI with the same full work", FULL_PEERS, "rps", 15),
            ("requests/s over the best that only scores", SCORING_PEERS, "rps", 5),
            ("requests/s over the echo", ECHOES, "rps", 0.3),
            ("CPU a request over the echo", ECHOES, "cpu_us", -4),
        ]
        if n == 16:
            wanted.append(("p99 over the echo", ECHOES, "p99_ms", -4))
        found = []
        for what, names, figure, bar in wanted:
            there = [name for name in names if name in self.titles]
            if not there:
                continue
            ratios = [self.ratio(figure, name, n) for name in there]
            worst = min(ratios) if bar > 0 else max(ratios)
            found.append(Bar(f"{what}, {at}", worst, abs(bar), at_least=bar > 0))
        return found


def write_report(report: Report, project: Path, *, markdown: bool) -> None:
    """Print the tables, write them with all rounds as JSON and a plot.

    Args:
        report: What was found.
        project: The project's folder.
        markdown: Renew the tables and the plot of the documentation, too.
    """
    console = Console(width=130)
    console.print(_servers_table(report))
    console.print(_bars_table(report))
    console.print(_conditions(report), highlight=False)
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        **_machine(),
        "load_before": report.load_before,
        "titles": dict(report.titles),
        "start_seconds": dict(report.start_seconds),
        "worker_mb": dict(report.worker_mb),
        "bars": [{**asdict(bar), "reached": bar.reached} for bar in report.bars()],
        "rounds": [{**asdict(m), "rps": m.rps} for m in report.rounds],
    }
    (folder / "serving.json").write_text(json.dumps(document, indent=1) + "\n")
    draw(report, folder / PLOT.name)
    if markdown:
        page = project / PAGE
        page.write_text(renewed(page.read_text("utf-8"), report), "utf-8")
        (project / PLOT).parent.mkdir(exist_ok=True)
        draw(report, project / PLOT)


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }


def _conditions(report: Report) -> str:
    machine = _machine()
    per_server = len(report.rounds) // (len(report.titles) * len(report.connections))
    return (
        f"Python {machine['python']}, {machine['machine']}, {machine['cores']} cores; "
        f"medians of {per_server} alternating rounds; load average of the machine "
        f"before: {report.load_before:.2f}"
    )


def _servers_table(report: Report) -> Table:
    table = Table(title="One worker on one core; medians over the rounds")
    for column in ("server", "conns", "rps", "p50 ms", "p99 ms", "CPU us", "errors"):
        table.add_column(column, justify="left" if column == "server" else "right")
    table.add_column("x ours", justify="right")
    for name, title in report.titles.items():
        for n in report.connections:
            f = report.figures(name, n)
            ratio = report.ratio("rps", name, n) if OURS in report.titles else 0.0
            table.add_row(
                *(title if n == report.connections[0] else "", str(n)),
                *(f"{f.rps:,.0f}", f"{f.p50_ms:.2f}", f"{f.p99_ms:.2f}"),
                *(f"{f.cpu_us:,.0f}", str(f.errors), f"{ratio:.2f}"),
            )
        table.add_row(
            f"  first answer after {report.start_seconds[name]:.1f} s, "
            f"worker {report.worker_mb[name]:.0f} MB",
            end_section=True,
        )
    return table


def _bars_table(report: Report) -> Table:
    table = Table(title="Bars")
    for column in ("what", "found", "bar", ""):
        table.add_column(column, justify="left" if column == "what" else "right")
    for bar in report.bars():
        sign = ">=" if bar.at_least else "<="
        verdict = "reached" if bar.reached else "[bold red]missed[/]"
        table.add_row(bar.what, f"{bar.found:.2f}", f"{sign} {bar.bar:g}", verdict)
    return table


def renewed(page: str, report: Report) -> str:
    """Replace the figures of the documentation's page.

    Raises:
        ValueError: If the page has no place for them.
    """
    head, begin, rest = page.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not end:
        raise ValueError(f"the page has no {_BEGIN.strip()} ... {_END.strip()}")
    return f"{head}{begin}\n{_markdown(report)}\n{end}{tail}"


def _markdown(report: Report) -> str:
    lines = [
        f"{_conditions(report)}.",
        "",
        "| server | connections | requests/s | p50 ms | p99 ms | CPU us a request "
        "| ours over it |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, title in report.titles.items():
        for n in report.connections:
            f = report.figures(name, n)
            lines.append(
                f"| {title} | {n} | {f.rps:,.0f} | {f.p50_ms:.2f} | {f.p99_ms:.2f} "
                f"| {f.cpu_us:,.0f} | {report.ratio('rps', name, n):.2f} |"
            )
    lines += [
        "",
        "| server | first answer after | memory of the worker |",
        "| --- | ---: | ---: |",
    ]
    for name, title in report.titles.items():
        start, size = report.start_seconds[name], report.worker_mb[name]
        lines.append(f"| {title} | {start:.1f} s | {size:.0f} MB |")
    lines += ["", "| bar | found | wanted | |", "| --- | ---: | ---: | --- |"]
    for bar in report.bars():
        sign = "at least" if bar.at_least else "at most"
        verdict = "reached" if bar.reached else "**missed**"
        lines.append(
            f"| {bar.what} | {bar.found:.2f} | {sign} {bar.bar:g} | {verdict} |"
        )
    image = PLOT.relative_to(PAGE.parent).as_posix()
    lines += ["", f"![Requests a second of each server]({image})"]
    return "\n".join(lines) + "\n"


def draw(report: Report, path: Path) -> None:
    """Plot requests a second of each server."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    height = 0.8 / len(report.connections)
    names = list(report.titles)
    for place, n in enumerate(report.connections):
        at = [row + place * height for row in range(len(names))]
        rps = [report.figures(name, n).rps for name in names]
        bars = axes.barh(at, rps, height, label=f"{n} connections")
        axes.bar_label(bars, [f"{value:,.0f}" for value in rps], padding=3, fontsize=7)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(names))])
    axes.set_yticklabels([report.titles[name] for name in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("requests a second, one worker on one core (log scale)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    # Equal figures make an equal file.
    figure.savefig(path, dpi=150, metadata={"Software": None})
    plt.close(figure)
