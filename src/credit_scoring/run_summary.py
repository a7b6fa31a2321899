"""The table that closes a run."""

import io
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from credit_scoring.monitoring.publication import Summary
from credit_scoring.wording import counted

# Datasets that the table is made of, without their namespace.
SUMMARISED = frozenset(
    {
        "validation_summary",
        "comparison",
        "promotion_record",
        "champion_of_the_day",
        "replay_report",
        "batch_summary",
        "monitoring_summary",
        "alternatives_summary",
        "release",
    }
)
# Shown of a run that was stopped, too: it is what the run was to find out.
TELLS_WHY = "replay_report"
_MEASURES = (
    ("auc", "AUC"),
    ("gini", "Gini"),
    ("ks", "KS"),
    ("brier", "Brier score"),
    ("log_loss", "Log loss"),
    ("calibration_slope", "Calibration slope"),
    ("calibration_intercept", "Calibration intercept"),
    ("psi", "PSI against train"),
)
_WIDEST = 100
_SHOWN = 5


def render_summary(
    results: Mapping[str, Any], *, seconds: float, done: bool = True
) -> str:
    """Draw what a run made as plain text.

    Args:
        results: Dataset name -> what a node of this run gave; a run of a part of
            the pipelines has only some of `SUMMARISED`.
        seconds: How long the run took.
        done: Whether it came to its end.

    Returns:
        Lines no wider than the terminal.
    """
    width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
    console = Console(file=io.StringIO(), width=width, color_system=None)
    parts = list(_parts(results))
    how = "Done in" if done else "Stopped after"
    console.print(Group("", *parts, Text(f"{how} {seconds:.1f} s")))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())


def _parts(results: Mapping[str, Any]) -> Iterator[RenderableType]:
    if "comparison" in results:
        yield _measures(results["comparison"])
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, text in _facts(results):
        facts.add_row(label, text)
    if facts.row_count:
        yield facts


def _measures(comparison: Mapping[str, Any]) -> Table:
    """One line a measure, one column a candidate."""
    candidates = comparison["candidates"]
    table = Table(
        box=box.SIMPLE,
        title=(
            f"{comparison['rows']:,} {comparison['split']} rows, "
            f"{comparison['bads']:,} bad; 95 % bootstrap intervals"
        ),
        title_justify="left",
        title_style="",
    )
    table.add_column("measure")
    for name in candidates:
        table.add_column(name, justify="right")
    for key, label in _MEASURES:
        figures = [measures.get(key) for measures in candidates.values()]
        if any(figures):
            table.add_row(label, *map(_figure, figures))
    return table


def _figure(measure: Mapping[str, float | None] | None) -> str:
    if measure is None or measure["value"] is None:
        return "-"
    text = f"{measure['value']:.4f}"
    if measure.get("low") is None or measure.get("high") is None:
        return text
    return f"{text} ({measure['low']:.4f} to {measure['high']:.4f})"


def _facts(results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "validation_summary" in results:
        rows = results["validation_summary"]
        yield (
            "Rows",
            f"{rows['accepted_rows']:,} accepted, {rows['rejected_rows']:,} rejected; "
            f"{rows['bad_rate']:.1%} bad",
        )
    if "promotion_record" in results:
        yield from _promotion(results["promotion_record"])
    if "champion_of_the_day" in results:
        yield from _champion_of_the_day(results["champion_of_the_day"])
    if "replay_report" in results:
        yield from _replay(results["replay_report"])
    if "batch_summary" in results:
        yield from _batch(results["batch_summary"])
    if "monitoring_summary" in results:
        yield from _monitoring(results["monitoring_summary"])
    if "alternatives_summary" in results:
        yield from _alternatives(results["alternatives_summary"])
    if "release" in results:
        bento = str(results["release"]["bento"])
        # `make serve` serves what is released in bentos/.
        ours = bento.startswith("credit_scoring:")
        serve = "make serve" if ours else f"bentoml serve {bento}"
        yield "Bento", bento
        yield "Next", f"{serve}    mlflow ui    kedro viz run"


def _champion_of_the_day(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    champion = record["champion"]
    yield "Champion", f"version {champion['version']}, {champion['family']}"
    yield "Since", f"{record['created_at']}, until {record['until'] or 'now'}"
    yield "Why", record["decision"]
    yield "By", f"{record['actor']}, signed with key {record['signature']['key_id']}"
    yield "Artifact", champion["artifact_digest"]
    yield "Record", record["digest"]


def _replay(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    chain, replayed = report["chain"], report["replayed"]
    yield (
        "Decided again",
        f"{replayed['decisions']:,} decisions, {replayed['shadows']:,} in the shadow",
    )
    yield "Differences", _listed(report["differences"])
    yield (
        "Chain",
        f"{counted(chain['decisions'] + chain['shadows'], 'record')} in "
        f"{counted(chain['segments'], 'segment')}, "
        f"{counted(chain['fault_count'], 'fault')}",
    )
    yield from (("Fault", fault) for fault in chain["faults"][:_SHOWN])
    for model in report["models"]:
        yield (
            "Model",
            f"version {model['version']} ({model['source']}), by {model['code']}",
        )


def _batch(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield (
        "Scored",
        f"{summary['decided']:,} of {summary['rows']:,} rows, "
        f"{summary['rejected']:,} rejected, {summary['without_history']:,} without a "
        f"history, {summary['repeated_loan_ids']:,} on repeated loan ids",
    )
    yield (
        "Decisions",
        ", ".join(f"{count:,} {name}" for name, count in summary["decisions"].items()),
    )
    for cells, count in list(summary["rejected_cells"].items())[:_SHOWN]:
        yield "Rejected", f"{count:,} cells: {cells}"
    yield "Job", f"{summary['job']}, scored at {summary['scored_at']}"
    logged = "has all of them" if summary["logged"] else "left out, as asked"
    yield "Decision log", logged
    yield "Output", str(summary["output"])


def _monitoring(summary: Summary) -> Iterator[tuple[str, str]]:
    yield "Verdict", summary.verdict
    if summary.window_since is not None and summary.window_until is not None:
        yield (
            "Window",
            f"{summary.window_since:%Y-%m-%d %H:%M} to "
            f"{summary.window_until:%Y-%m-%d %H:%M} UTC, "
            f"{summary.decisions:,} decisions",
        )
    for finding in summary.findings:
        if finding.verdict != "ok":
            yield finding.verdict.capitalize(), finding.message
    if summary.report is not None:
        yield "Report", summary.report


def _alternatives(summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    champion = summary["champion"]
    yield "Champion", f"version {champion['version']}, {champion['family']}"
    yield (
        "Searched",
        f"{summary['models']:,} models, on {summary['rows']['test']:,} rows",
    )
    for name, found in summary["attributes"].items():
        today = found["chosen"][0]
        shown = len(found["less_discriminatory"])
        yield (
            name.capitalize(),
            f"adverse impact ratio {today['impact_ratio_test']:.3f} today; "
            f"{counted(shown, 'alternative')} shown to be less "
            f"discriminatory and within {summary['auc_margin']:g} of its AUC",
        )


def _listed(differences: Mapping[str, Any]) -> str:
    fields = ", ".join(f"{n} of {f}" for f, n in differences["by_field"].items())
    return f"{differences['count']:,}" + (f": {fields}" if fields else "")


def _promotion(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for role in ("champion", "challenger"):
        holder = record[role]
        if holder is not None:
            yield role.capitalize(), f"version {holder['version']}, {holder['family']}"
    for candidate in record["candidates"]:
        for gate in candidate["gates"]:
            if not gate["passed"]:
                name = gate["name"].replace("_", " ")
                yield (
                    "Not passed",
                    f"{candidate['family']}, gate {name}: {gate['why']}",
                )
    yield "Decision", record["decision"]
