"""Swap sets and bands: whom a policy approves, and how they turned out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_scoring.errors import EvaluationError
from credit_scoring.evaluation.calibration import wilson_interval
from credit_scoring.evaluation.measures import Measure
from credit_scoring.evaluation.shares import Count, difference_of_shares

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """Applicants whom two policies treat in one way.

    Attributes:
        name: ``approved_by_both``, ``newly_approved``, ``newly_declined`` (no
            longer approved: declined or referred) or ``approved_by_neither``.
        rows: Applicants in it.
        share: Of all applicants, in [0, 1].
        bads: Bads among them.
        bad_rate: Share of them; None without applicants.
        low: Lower end of the bad rate's interval.
        high: Upper end of it.
    """

    name: str
    rows: int
    share: float
    bads: int
    bad_rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class SwapSets:
    """Who is swapped in and who is swapped out.

    Attributes:
        cells: The four ways in which two policies treat an applicant.
        difference: Bad rate of the newly approved less that of the newly
            declined; below 0 is what a better model does. None if either is
            empty.
    """

    cells: tuple[Cell, ...]
    difference: Measure | None


@dataclass(frozen=True)
class BandLine:
    """One band of scores.

    Attributes:
        band: Its code.
        rows: Applicants in it.
        share: Of all applicants, in [0, 1].
        approved: Applicants approved.
        referred: Applicants referred to a person.
        declined: Applicants declined.
        bads: Bads among all of them.
        bad_rate: Share of them; None without applicants.
        low: Lower end of the bad rate's interval.
        high: Upper end of it.
        mean_pd: Mean PD; None without applicants.
        share_from_here: Share of applicants in this band or a safer one.
        bad_rate_from_here: Bad rate in this band and all safer ones.
    """

    band: str
    rows: int
    share: float
    approved: int
    referred: int
    declined: int
    bads: int
    bad_rate: float | None
    low: float | None
    high: float | None
    mean_pd: float | None
    share_from_here: float
    bad_rate_from_here: float | None


def swap_sets(
    approved: Flags, other: Flags, bad: Values, *, level: float = 0.95
) -> SwapSets:
    """Compare whom two policies approve.

    Args:
        approved: By the policy in question, shape (n,).
        other: By the one it is compared with, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        level: Coverage of the intervals, in (0, 1).

    Raises:
        EvaluationError: If lengths differ, or there is no applicant.

    Source: Siddiqi, Intelligent Credit Scoring (2017), chapter 12, the swap set
        between an old and a new scorecard.
    """
    if not approved.shape == other.shape == bad.shape or not bad.size:
        raise EvaluationError(
            f"{approved.size} and {other.size} decisions and {bad.size} outcomes; "
            "expected as many of each, and at least one"
        )
    ways = {
        "approved_by_both": approved & other,
        "newly_approved": approved & ~other,
        "newly_declined": ~approved & other,
        "approved_by_neither": ~approved & ~other,
    }
    cells = {name: _cell(name, who, bad, level) for name, who in ways.items()}
    came, went = cells["newly_approved"], cells["newly_declined"]
    difference = None
    if came.rows and went.rows:
        difference = difference_of_shares(
            Count(came.bads, came.rows), Count(went.bads, went.rows), level=level
        )
    return SwapSets(tuple(cells.values()), difference)


def _cell(name: str, who: Flags, bad: Values, level: float) -> Cell:
    rows, bads = int(who.sum()), int(bad[who].sum())
    return Cell(name, rows, rows / bad.size, bads, *_rate(bads, rows, level))


def _rate(
    bads: int, rows: int, level: float
) -> tuple[float | None, float | None, float | None]:
    if not rows:
        return None, None, None
    return bads / rows, *wilson_interval(bads, rows, level=level)


def band_table(  # noqa: PLR0913 - what is known of each applicant
    band: Codes,
    outcome: Codes,
    *,
    pd_: Values,
    bad: Values,
    codes: Sequence[str],
    level: float = 0.95,
) -> list[BandLine]:
    """Tabulate approvals and bad rates by band.

    Args:
        band: Index into ``codes``, shape (n,).
        outcome: 0 approved, 1 referred, 2 declined, shape (n,).
        pd_: Probability of default, shape (n,).
        bad: 1 for bad, 0 for good, shape (n,).
        codes: Bands, the safest first.
        level: Coverage of the intervals, in (0, 1).

    Returns:
        One line a band, the safest first, empty ones too.
    """
    lines = []
    so_far = bads_so_far = 0
    for place, code in enumerate(codes):
        who = band == place
        rows, bads = int(who.sum()), int(bad[who].sum())
        so_far, bads_so_far = so_far + rows, bads_so_far + bads
        approved, referred, declined = np.bincount(outcome[who], minlength=3).tolist()
        rate, low, high = _rate(bads, rows, level)
        lines.append(
            BandLine(
                band=code,
                rows=rows,
                share=rows / bad.size,
                approved=approved,
                referred=referred,
                declined=declined,
                bads=bads,
                bad_rate=rate,
                low=low,
                high=high,
                mean_pd=float(pd_[who].mean()) if rows else None,
                share_from_here=so_far / bad.size,
                bad_rate_from_here=bads_so_far / so_far if so_far else None,
            )
        )
    return lines
