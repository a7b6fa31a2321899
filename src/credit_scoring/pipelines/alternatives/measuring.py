"""What each alternative comes to: AUC, profit and impact ratios, by cut-off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.evaluation.alternatives import least_impact_ratio, undominated
from credit_scoring.evaluation.discrimination import roc_auc
from credit_scoring.pipelines.alternatives.search import Scored

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

CHOSEN = "champion"
SELECTION, TEST = "selection", "test"
SAME_APPROVALS = "same_approvals"
POLICY = "policy"
MOVED = "moved"


@dataclass(frozen=True)
class Yardstick:
    """What alternatives are measured with, for every applicant.

    Attributes:
        bad: 1 for bad, 0 for good, shape (n,).
        worth: What approving each one earned, shape (n,).
        exposure: Amount at stake, shape (n,).
        ruled_out: Whom a rule of the policy keeps from being approved, shape (n,).
        members: Protected attribute -> group -> who belongs to it, shape (n,).
        rows: ``selection`` and ``test`` -> which applicants, shape (n,).
        approve_from: The policy's cut-off, in points.
    """

    bad: Values
    worth: Values
    exposure: Values
    ruled_out: Flags
    members: Mapping[str, Mapping[str, Flags]]
    rows: Mapping[str, Flags]
    approve_from: float

    def approved(self, score: Values, cut_off: float) -> Flags:
        """Say who is approved from a cut-off on, shape (n,)."""
        return (score >= cut_off) & ~self.ruled_out

    def cut_off_for(self, score: Values, approved: int) -> float:
        """The highest cut-off that approves so many of the selection rows."""
        eligible = score[self.rows[SELECTION] & ~self.ruled_out]
        ranked = np.sort(eligible)[::-1]
        return float(ranked[min(approved, ranked.size) - 1])


def tabulate(
    models: Sequence[Scored], yardstick: Yardstick, shifts: Sequence[float]
) -> pd.DataFrame:
    """Measure every model at every cut-off.

    Args:
        models: The first is the chosen one.
        yardstick: What they are measured with.
        shifts: Points by which the policy's cut-off is moved.

    Returns:
        One row a model and cut-off. Columns end in ``_selection`` and ``_test``;
        ``frontier_auc_<attribute>`` and ``frontier_profit_<attribute>`` say what
        no other row beats on the selection rows: for the AUC among rows that
        approve as many as the chosen one does.
    """
    chosen = yardstick.approved(models[0].score, yardstick.approve_from)
    wanted = int((chosen & yardstick.rows[SELECTION]).sum())
    table = pd.DataFrame(
        [
            line
            for model in models
            for line in _lines(model, yardstick, shifts, approvals=wanted)
        ]
    )
    comparable = (table["cut_off_rule"] == SAME_APPROVALS).to_numpy()
    for attribute in yardstick.members:
        ratio = f"impact_ratio_{attribute}_{SELECTION}"
        for name, among in (("auc", comparable), ("profit", np.ones_like(comparable))):
            flags = np.zeros(len(table), bool)
            points = table.loc[among, [f"{name}_{SELECTION}", ratio]]
            flags[among] = undominated(points.to_numpy(np.float64))
            table[f"frontier_{name}_{attribute}"] = flags
    return table


def _lines(
    model: Scored, yardstick: Yardstick, shifts: Sequence[float], *, approvals: int
) -> Iterator[dict[str, Any]]:
    policy = yardstick.approve_from
    aucs = {
        f"auc_{name}": roc_auc(model.margin[rows], yardstick.bad[rows])
        for name, rows in yardstick.rows.items()
    }
    rules = [(SAME_APPROVALS, yardstick.cut_off_for(model.score, approvals))]
    rules += [(POLICY if s == 0 else MOVED, policy + s) for s in shifts]
    for rule, cut_off in rules:
        yield {
            "name": model.alternative.name,
            "kind": model.alternative.kind,
            "features_left_out": len(model.alternative.dropped),
            "left_out": " ".join(sorted(model.alternative.dropped)),
            "cut_off_rule": rule,
            "cut_off": cut_off,
            **aucs,
            **_at(model.score, cut_off, yardstick),
        }


def _at(score: Values, cut_off: float, yardstick: Yardstick) -> dict[str, float]:
    approved = yardstick.approved(score, cut_off)
    found: dict[str, float] = {}
    for name, rows in yardstick.rows.items():
        inside = approved & rows
        found[f"approval_rate_{name}"] = float(approved[rows].mean())
        found[f"bad_rate_{name}"] = (
            float(yardstick.bad[inside].mean()) if inside.any() else float("nan")
        )
        found[f"profit_{name}"] = float(
            yardstick.worth[inside].sum() / yardstick.exposure[rows].sum()
        )
        for attribute, members in yardstick.members.items():
            parts = {group: belongs[rows] for group, belongs in members.items()}
            ratio = least_impact_ratio(parts, approved[rows])[0]
            found[f"impact_ratio_{attribute}_{name}"] = float(ratio)
    return found
