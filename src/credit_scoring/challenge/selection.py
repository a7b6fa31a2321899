"""Which decisions a challenge may compare, and how many it may not, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from credit_scoring.challenge.parameters import ChallengeParameters
from credit_scoring.digests import sha256_of_json
from credit_scoring.errors import ChallengeError
from credit_scoring.outcomes.joining import BAD, DECLINED, GOOD, IMMATURE, UNKNOWN

Flags = NDArray[np.bool_]
APPROVE = "approve"


@dataclass(frozen=True)
class Pair:
    """The two models, by the digests of their artifacts."""

    champion: str
    challenger: str


@dataclass(frozen=True)
class Selected:
    """What is compared.

    Attributes:
        table: Decisions of this pair of models that a model scored, with
            ``exposure``.
        known: Which of them have an outcome, shape (n,).
        followed: On which the challenger did what was asked of it, shape (n,);
            True where nothing was.
        asked: Count of decisions on which something was asked of it.
        counts: What was left out, by reason.
        digest: Of the decisions compared and their outcomes: the same data have
            the same.
    """

    table: pd.DataFrame
    known: Flags
    followed: Flags
    asked: int
    counts: Mapping[str, int]
    digest: str

    @property
    def followed_share(self) -> float | None:
        """Share of what was asked that the challenger did; None if nothing was."""
        if not self.asked:
            return None
        return 1 - int((~self.followed).sum()) / self.asked

    def where(self, flags: Flags) -> pd.DataFrame:
        """Take some of the decisions."""
        return self.table.loc[flags]


def select_decisions(
    matured: pd.DataFrame,
    pair: Pair,
    parameters: ChallengeParameters,
    *,
    exposure: str | None,
) -> Selected:
    """Take the decisions of a pair of models.

    Args:
        matured: Decisions with their status, as the outcomes pipeline gives them.
        pair: The two models.
        parameters: Names the design.
        exposure: Column with the amount at stake; None if every applicant counts 1.

    Raises:
        ChallengeError: If the column of the exposure is not there.
    """
    if exposure is not None and exposure not in matured:
        raise ChallengeError(
            f"the exposure {exposure} is not in the matured outcomes: name it in "
            "outcomes.carried and run the outcomes pipeline again"
        )
    at_stake = 1.0 if exposure is None else matured[exposure].astype("float64")
    rows = matured.assign(exposure=at_stake)
    scored = rows["pd"].notna() & rows["exposure"].notna()
    ours = _of_pair(rows, pair, parameters.design)
    early = ours & (rows["scored_at"] < _begun(rows, pair))
    ours &= ~early
    table = rows.loc[scored & ours].reset_index(drop=True)
    asked, followed = _followed(table, pair, parameters.design)
    known = table["status"].isin([GOOD, BAD]).to_numpy(bool)
    counts = {
        "decisions": len(rows),
        "before_the_challenge": int(early.sum()),
        "of_other_models": int((~ours & ~early).sum()),
        "without_a_score": int((ours & ~scored).sum()),
        "not_followed": int((~followed).sum()),
        **{
            name: int((table["status"] == name).sum())
            for name in (GOOD, BAD, DECLINED, IMMATURE, UNKNOWN)
        },
    }
    return Selected(table, known, followed, asked, counts, _digest(table))


def _of_pair(rows: pd.DataFrame, pair: Pair, design: str) -> "pd.Series[bool]":
    by_champion = rows["model_digest"] == pair.champion
    if design == "split":
        return by_champion | (rows["model_digest"] == pair.challenger)
    other = rows["challenger_digest"].notna() & (
        rows["challenger_digest"] != pair.challenger
    )
    return by_champion & (rows["arm"] == "champion") & ~other


def _begun(rows: pd.DataFrame, pair: Pair) -> pd.Timestamp:
    """When the challenger was first heard of; now, if it never was."""
    by_it = rows["model_digest"] == pair.challenger
    heard = rows.loc[by_it | (rows["challenger_digest"] == pair.challenger)]
    first = heard["scored_at"].min()
    return pd.Timestamp.max.tz_localize("UTC") if pd.isna(first) else first


def _followed(table: pd.DataFrame, pair: Pair, design: str) -> tuple[int, Flags]:
    if design == "shadow":
        # What another challenger followed was left out; what none did is missing.
        followed = table["challenger_pd"].notna().to_numpy(bool)
        return len(table), followed
    asked = (table["arm"] == "challenger").to_numpy(bool)
    by_it = (table["model_digest"] == pair.challenger).to_numpy(bool)
    return int(asked.sum()), ~asked | by_it


def _digest(table: pd.DataFrame) -> str:
    facts: list[Any] = sorted(
        zip(table["decision_id"], table["status"], strict=True),
    )
    return sha256_of_json([list(map(str, fact)) for fact in facts])
