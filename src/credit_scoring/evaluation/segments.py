"""Segments: how a model does for parts of the portfolio."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.discrimination import roc_auc

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Larger numbers are named without decimals.
_WHOLE = 1000


@dataclass(frozen=True)
class Segment:
    """A part of the portfolio.

    Attributes:
        attribute: What it is a part by.
        segment: Which part.
        rows: Applications in it.
        bads: Of them, bad.
        bad_rate: In [0, 1].
        low: Lower end of the bad rate's interval.
        high: Upper end.
        mean_pd: In (0, 1).
        auc: None if there is one outcome alone.
        approval_rate: In [0, 1].
    """

    attribute: str
    segment: str
    rows: int
    bads: int
    bad_rate: float
    low: float
    high: float
    mean_pd: float
    auc: float | None
    approval_rate: float


@dataclass(frozen=True)
class Outcomes:
    """What was predicted, decided and observed, one entry an application.

    Attributes:
        pd_: Probability of default, shape (n,).
        approved: Shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
    """

    pd_: Values
    approved: Flags
    bad: Values


def measure_segments(
    attribute: str,
    members: Mapping[str, Flags],
    found: Outcomes,
    *,
    level: float = 0.95,
) -> list[Segment]:
    """Measure each part; parts without applications are left out.

    Args:
        attribute: What they are parts by.
        members: Part -> who belongs to it, each of shape (n,).
        found: Predictions, decisions and outcomes.
        level: Coverage of the bad rate's interval.
    """
    lines = []
    for name, belongs in members.items():
        rows = int(belongs.sum())
        if not rows:
            continue
        bad = found.bad[belongs]
        bads = int(bad.sum())
        low, high = wilson_interval(bads, rows, level=level)
        both = 0 < bads < rows
        lines.append(
            Segment(
                attribute=attribute,
                segment=name,
                rows=rows,
                bads=bads,
                bad_rate=bads / rows,
                low=low,
                high=high,
                mean_pd=float(found.pd_[belongs].mean()),
                auc=roc_auc(found.pd_[belongs], bad) if both else None,
                approval_rate=float(found.approved[belongs].mean()),
            )
        )
    return lines


def quantile_parts(values: Values, *, parts: int) -> dict[str, Flags]:
    """Cut values into parts of about equal size; missing ones are a part.

    Args:
        values: Shape (n,); NaN is missing.
        parts: Number of parts; equal values share one, so there may be fewer.

    Returns:
        Range -> who belongs to it, from low to high.
    """
    known = values[~np.isnan(values)]
    found: dict[str, Flags] = {}
    if known.size:
        shares = np.arange(1, parts) / parts
        inner = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        edges = [-np.inf, *inner[inner < known.max()].tolist(), np.inf]
        for low, high in pairwise(edges):
            inside = (values > low) & (values <= high)
            part = values[inside]
            found[f"{_shown(part.min())} to {_shown(part.max())}"] = inside
    if known.size < values.size:
        found["missing"] = np.isnan(values)
    return found


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.4g}"
