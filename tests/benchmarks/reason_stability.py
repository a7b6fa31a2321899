"""How stable the reported reasons are under resampled backgrounds.

Run it after `kedro run`, from the project:

    make bench-reasons      # python tests/benchmarks/reason_stability.py

It takes the boosting model of the release, draws its background of just-approved
applicants anew (with replacement, in several sizes) and asks for the reasons of all
declined applicants against each draw. A table says for how many of them the four
reasons are the same as those that the service gives.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import bentoml
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from credit_scoring.boosting.ensemble import TreeEnsemble
from credit_scoring.decision.decisions import Outcome
from credit_scoring.registry.artifact import Artifact, load_artifact

PROJECT = Path(__file__).parents[2]
ROWS = Path("data/02_intermediate/validated_applications.parquet")
SIZES = (100, 300, 600, 1000, None)
DRAWS = 5

Values = NDArray[np.float64]
Reasons = dict[str, float]


@dataclass(frozen=True)
class Stability:
    """What draws of one size came to, as means over the draws.

    Attributes:
        size: Rows of each draw; as many as the background has for `SIZES`' None.
        same_set: Share of applicants with the same four reasons in any order.
        same_first: Share with the same strongest reason.
        furthest_points: Largest change of a reason's points that any had.
    """

    size: int
    same_set: float
    same_first: float
    furthest_points: float


def declined_features(artifact: Artifact, rows: Path) -> Values:
    """Give the feature rows of those whom the model's score declines."""
    table = pq.read_table(rows, columns=list(artifact.contract.input_names))
    columns = {
        name: np.ascontiguousarray(table[name].to_numpy(), np.float64)
        for name in table.column_names
    }
    decisions = artifact.engine.decide_unexplained(columns)
    low = decisions.score < artifact.engine.grading.policy.decline_below
    return np.ascontiguousarray(
        decisions.features[low & (decisions.outcome == Outcome.DECLINE)]
    )


def measure(
    artifact: Artifact, x: Values, *, draws: int = DRAWS, seed: int = 1
) -> list[Stability]:
    """Compare the reasons against drawn backgrounds with the artifact's own.

    Args:
        artifact: Of a boosting model.
        x: Feature rows to explain, shape (n, n_features).
        draws: How often each size is drawn.
        seed: Of the draws.
    """
    model = artifact.model
    if not isinstance(model, TreeEnsemble):
        raise TypeError(f"expected a boosting model, not {model.family}")
    with np.load(artifact.folder / "background.npz", allow_pickle=False) as file:
        background = np.ascontiguousarray(file["features"])
    random = np.random.default_rng(seed)
    own = _reasons(artifact, model, x)
    found = []
    for wanted in SIZES:
        size = len(background) if wanted is None else wanted
        compared = [
            _compare(own, _reasons(artifact, model.with_background(drawn), x))
            for drawn in (
                background[np.sort(random.integers(0, len(background), size))]
                for _ in range(draws)
            )
        ]
        sets, firsts, furthest = np.array(compared).T
        found.append(
            Stability(
                size, float(sets.mean()), float(firsts.mean()), float(furthest.max())
            )
        )
    return found


def _reasons(artifact: Artifact, model: TreeEnsemble, x: Values) -> list[Reasons]:
    grading = artifact.engine.grading
    points_per_unit = grading.scaling.factor * grading.calibration.slope
    explained = artifact.engine.groups.explain(model.contributions(x), points_per_unit)
    return [{r.code: r.points or 0.0 for r in reasons} for reasons in explained]


def _compare(own: list[Reasons], other: list[Reasons]) -> tuple[float, float, float]:
    pairs = list(zip(own, other, strict=True))
    changes = [
        abs(points - theirs[code])
        for mine, theirs in pairs
        for code, points in mine.items()
        if code in theirs
    ]
    return (
        float(np.mean([mine.keys() == theirs.keys() for mine, theirs in pairs])),
        float(np.mean([next(iter(a)) == next(iter(b)) for a, b in pairs])),
        max(changes),
    )


def lines(found: list[Stability], n_rows: int) -> list[str]:
    """Say what was found as a table in Markdown."""
    return [
        f"{n_rows:,} declined applicants; draws with replacement",
        "",
        "| rows of the background | same four reasons | same strongest | "
        "largest change of a reason's points |",
        "| ---: | ---: | ---: | ---: |",
        *[
            f"| {one.size:,} | {one.same_set:.1%} | {one.same_first:.1%} "
            f"| {one.furthest_points:.1f} |"
            for one in found
        ],
    ]


def released_model(project: Path) -> str:
    """Give the tag of the boosting model of the release.

    Raises:
        LookupError: If the release has none.
    """
    release = json.loads((project / "bentos/releases/current.json").read_bytes())
    for version in release["versions"].values():
        if version["family"] == "boosting":
            return str(version["model"])
    raise LookupError("the release has no boosting model")


def main() -> int:
    """Measure the release of this checkout and print it."""
    stored = Path(bentoml.models.get(released_model(PROJECT)).path)
    artifact = load_artifact(stored / "artifact")
    x = declined_features(artifact, PROJECT / ROWS)
    sys.stdout.write("\n".join(lines(measure(artifact, x), len(x))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
