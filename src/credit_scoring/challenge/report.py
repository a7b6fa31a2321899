"""The report of a challenge: as a JSON value, and as a page that a person reads."""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from credit_scoring.challenge.comparing import Comparison
from credit_scoring.challenge.judging import Judged
from credit_scoring.challenge.looks import Look
from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.challenge.plots import plot_calibrations, plot_looks, plot_rocs
from credit_scoring.challenge.selection import Selected
from credit_scoring.outcomes.report import SELECTION

# What selection does to the comparison, beyond what it does to each figure.
SELECTED = {
    "shadow": (
        "Only whom the champion let through has an outcome. Among all of them the "
        "champion's own range is cut and the challenger's is not, so that an equally "
        "good challenger would look better: AUC, Brier score and log loss are compared "
        "among those whom both would approve, where both ranges are cut. Profit is "
        "that of the champion's approvals: whom the challenger would approve besides "
        "is not seen."
    ),
    "split": (
        "Each arm's outcomes are of those whom its own model approved, so AUC, Brier "
        "score and log loss are of two differently selected groups, and tell of each "
        "model on its own approvals. Profit is per applicant as drawn, the declined "
        "counting 0, and compares like with like."
    ),
}


def challenge_report(  # noqa: PLR0913 - what was compared, and what came of it
    selected: Selected,
    comparison: Comparison,
    judged: Judged,
    *,
    parameters: ChallengeParameters,
    roles: Mapping[str, Mapping[str, Any]],
    looks: Sequence[Look],
    as_of: str,
) -> dict[str, Any]:
    """Say what was compared, what was found, and what follows.

    Args:
        selected: The pair's decisions.
        comparison: Every measure at this look.
        judged: The verdict.
        parameters: What was asked.
        roles: ``champion`` and ``challenger``: version, family, digest.
        looks: All looks on this pair, this one the last.
        as_of: Moment of the outcomes.
    """
    return {
        "as_of": as_of,
        "design": parameters.design,
        "among": parameters.among if parameters.design == "shadow" else "by arm",
        **roles,
        "verdict": judged.verdict,
        "why": judged.why,
        "carried_out": False,
        "record": None,
        "primary": parameters.deciding,
        "level": parameters.level,
        "wanted_power": parameters.power,
        "looks": len(looks),
        "measures": {name: one.as_json() for name, one in comparison.measures.items()},
        "not_measured": dict(comparison.faults),
        "gates": [gate.model_dump(mode="json") for gate in judged.gates],
        "decisions": dict(selected.counts),
        "selection": {"comparison": SELECTED[parameters.design], **SELECTION},
    }


def challenge_page(
    report: Mapping[str, Any], comparison: Comparison, looks: Sequence[Look]
) -> str:
    """Draw the report as a page of HTML that loads nothing from elsewhere.

    Args:
        report: As `challenge_report` gives it.
        comparison: For the curves.
        looks: All looks on this pair.
    """
    pictures = []
    if any(report["primary"] in look["measures"] for look in looks):
        pictures.append(("Looks", plot_looks(looks, report["primary"])))
    champion, challenger = comparison.champion, comparison.challenger
    if champion is not None and challenger is not None:
        pictures += [
            ("ROC curves", plot_rocs(champion, challenger)),
            ("Calibration", plot_calibrations(champion, challenger)),
        ]
    environment = Environment(
        loader=PackageLoader("credit_scoring.challenge"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("challenge_report.html").render(
        report=report,
        pictures=[(title, inline(figure)) for title, figure in pictures],
        figure=_figure,
    )


def inline(figure: Figure) -> str:
    """Encode a figure as an address that holds the picture itself."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _figure(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.5g}"
