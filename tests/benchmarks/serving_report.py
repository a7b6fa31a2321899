"""What the benchmark found: medians over the rounds, bars, a table and a plot."""

import json
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OURS = "service"
ECHO = "echo"
FULL_PEER = "fastapi_full"
SCORING_PEERS = ("fastapi_scoring", "bentoml_quick_start", "mlflow")
FOLDER = Path("data/08_reporting/benchmarks")
PAGE = Path("docs/reference/performance.md")
PLOT = Path("docs/reference/performance.svg")
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
    """Everything that was found."""

    titles: Mapping[str, str]
    rounds: tuple[Measurement, ...]
    start_seconds: Mapping[str, float]
    worker_mb: Mapping[str, float]

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
        """Compare with what the service must reach, where both were measured."""
        there = set(self.titles)
        if OURS not in there:
            return []
        found: list[Bar] = []
        scoring = [name for name in SCORING_PEERS if name in there]
        for n in self.connections:
            if FULL_PEER in there:
                ratio = self.ratio("rps", FULL_PEER, n)
                found.append(Bar(f"rps over FastAPI full work, {n}", ratio, 15, True))
            if scoring:
                ratio = min(self.ratio("rps", name, n) for name in scoring)
                found.append(Bar(f"rps over best scoring only, {n}", ratio, 5, True))
            if ECHO in there:
                ratio = self.ratio("rps", ECHO, n)
                found.append(Bar(f"rps over echo, {n}", ratio, 0.3, True))
                ratio = self.ratio("cpu_us", ECHO, n)
                found.append(Bar(f"processor time over echo, {n}", ratio, 4, False))
        if 16 in self.connections:
            ours = self.figures(OURS, 16)
            found.append(Bar("p99 in ms, 16", ours.p99_ms, 10, False))
            if ECHO in there:
                ratio = self.ratio("p99_ms", ECHO, 16)
                found.append(Bar("p99 over echo, 16", ratio, 4, False))
        found.append(Bar("worker memory in MB", self.worker_mb[OURS], 300, False))
        found.append(Bar("start in s", self.start_seconds[OURS], 5, False))
        errors = sum(m.errors for m in self.rounds if m.server == OURS)
        found.append(Bar("errors", errors, 0, False))
        return found


def summarise(
    titles: Mapping[str, str],
    found: list[Measurement],
    starts: Mapping[str, float],
    memory: Mapping[str, float],
) -> Report:
    """Put together what was found."""
    return Report(titles, tuple(found), starts, memory)


def write_report(report: Report, project: Path, *, docs: bool) -> None:
    """Print the tables, write them with all rounds as JSON, and the docs if asked."""
    console = Console(width=130)
    console.print(_servers_table(report))
    console.print(_bars_table(report))
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": _machine(),
        "titles": dict(report.titles),
        "start_seconds": dict(report.start_seconds),
        "worker_mb": dict(report.worker_mb),
        "bars": [{**asdict(bar), "reached": bar.reached} for bar in report.bars()],
        "rounds": [asdict(m) for m in report.rounds],
    }
    (folder / "serving.json").write_text(json.dumps(document, indent=1) + "\n")
    if docs:
        _write_docs(report, project)


def _machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "machine": platform.machine()}


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


def _write_docs(report: Report, project: Path) -> None:
    page = project / PAGE
    text = page.read_text(encoding="utf-8")
    head, rest = text.split(_BEGIN)
    tail = rest.split(_END)[1]
    page.write_text(
        head + _BEGIN + "\n" + _markdown(report) + "\n" + _END + tail,
        encoding="utf-8",
    )
    _plot(report, project / PLOT)


def _markdown(report: Report) -> str:
    lines = [
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
    return "\n".join(lines) + "\n"


def _plot(report: Report, path: Path) -> None:
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
    mpl.rcParams["svg.hashsalt"] = "performance"
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
