"""Deciding on the rows of a chunk, each with the model of its arm."""

from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from credit_scoring.batch.models import BatchModel, BatchModels
from credit_scoring.contract.tables import CheckedTable, TableCheck
from credit_scoring.decision.decisions import MOST_REASONS, Outcome
from credit_scoring.decision.tabular import NOBODY, Vocabulary
from credit_scoring.errors import InvalidProbabilityError

Values = NDArray[np.float64]
Codes = NDArray[np.int64]
Reasons = Literal["given", "all", "none"]

# Rows decided together: their features stay in the processor's cache.
BLOCK_ROWS = 2048


@dataclass(frozen=True)
class Decided:
    """Decisions as columns; shape (n,) where nothing else is said.

    Attributes:
        margin: NaN where nothing was scored, as `pd_` and `score`.
        pd_: Probabilities of default.
        score: Points.
        band: Place in `band_codes`; -1 where nothing was scored.
        outcome: Values of `Outcome`.
        role: 0 if the champion decided, 1 if the challenger.
        arm: 0 or 1: what routing drew.
        code: Reasons, see `TabularReasons`; shape (n, 4), or (n, 0) for none.
        subject: See there.
        points: See there.
        count: See there.
        failed: Places for which no model gave a finite margin.
        band_codes: Codes of the bands.
        vocabularies: Of champion and challenger, and of referrals without history.
    """

    margin: Values
    pd_: Values
    score: Values
    band: Codes
    outcome: Codes
    role: Codes
    arm: Codes
    code: Codes
    subject: Codes
    points: Values
    count: Codes
    failed: Codes
    band_codes: tuple[str, ...]
    vocabularies: tuple[Vocabulary, ...]

    def kept(self) -> "Decided":
        """Leave out what failed."""
        if not len(self.failed):
            return self
        arrays = {
            item.name: np.delete(getattr(self, item.name), self.failed, axis=0)
            for item in fields(self)
            if item.name not in {"failed", "band_codes", "vocabularies"}
        }
        return replace(self, failed=self.failed[:0], **arrays)


def decide_rows(
    table: CheckedTable,
    check: TableCheck,
    models: BatchModels,
    chosen: Codes,
    *,
    reasons: Reasons,
) -> Decided:
    """Decide on rows that keep the contract.

    Args:
        table: The rows.
        check: Made them.
        models: Who decides.
        chosen: Places of the rows to decide on.
        reasons: See `Asked`.
    """
    found = _blank(len(chosen), models, reasons)
    found.arm[:] = _arms(table, models, chosen)
    deciding = _Deciding(found, models, reasons)
    scored = table.with_history[chosen]
    for arm, model in enumerate(models.all):
        mine = np.flatnonzero(scored & (found.arm == arm))
        for start in range(0, len(mine), BLOCK_ROWS):
            places = mine[start : start + BLOCK_ROWS]
            deciding.decide(places, check.rows(table, chosen[places]), model)
    if not scored.all():
        deciding.refer(np.flatnonzero(~scored))
    failed = np.flatnonzero(found.outcome == NOBODY)
    return replace(found, failed=failed)


def _blank(n: int, models: BatchModels, reasons: Reasons) -> Decided:
    width = 0 if reasons == "none" else MOST_REASONS
    champion = models.champion.engine
    return Decided(
        margin=np.full(n, np.nan),
        pd_=np.full(n, np.nan),
        score=np.full(n, np.nan),
        band=np.full(n, NOBODY, np.int64),
        outcome=np.full(n, NOBODY, np.int64),
        role=np.zeros(n, np.int64),
        arm=np.zeros(n, np.int64),
        code=np.full((n, width), NOBODY, np.int64),
        subject=np.full((n, width), NOBODY, np.int64),
        points=np.full((n, width), np.nan),
        count=np.zeros(n, np.int64),
        failed=np.empty(0, np.int64),
        band_codes=_bands(models),
        vocabularies=(
            *(model.engine.vocabulary for model in models.all),
            _no_history(champion.engine.decide_without_history().reasons[0]),
        ),
    )


def _no_history(reason: object) -> Vocabulary:
    code, text = getattr(reason, "code", ""), getattr(reason, "text", "")
    return Vocabulary((code,), (text,), ())


def _bands(models: BatchModels) -> tuple[str, ...]:
    codes = [
        band.code
        for model in models.all
        for band in model.engine.engine.grading.policy.bands
    ]
    return tuple(dict.fromkeys(codes))


def _arms(table: CheckedTable, models: BatchModels, chosen: Codes) -> Codes | int:
    if models.split is None:
        return 0
    arms = models.arms(table.loan_ids.take(chosen).to_pylist())
    return np.array([arm == "challenger" for arm in arms], np.int64)


class _Deciding:
    """Fills in decisions, some rows at a time."""

    def __init__(self, found: Decided, models: BatchModels, reasons: Reasons) -> None:
        self._found, self._models, self._reasons = found, models, reasons

    def decide(self, places: Codes, rows: Values, model: BatchModel) -> None:
        """Decide on some rows; where the challenger cannot, the champion does."""
        try:
            decisions, said = model.engine.decide(
                rows,
                explain=self._reasons == "all",
                reasons=self._reasons != "none",
            )
        except InvalidProbabilityError:
            self._decide_apart(places, rows, model)
            return
        found = self._found
        codes = found.band_codes
        own = np.array([codes.index(code) for code in decisions.band_codes])
        found.margin[places], found.pd_[places] = decisions.margin, decisions.pd_
        found.score[places], found.band[places] = decisions.score, own[decisions.band]
        found.outcome[places] = decisions.outcome
        found.role[places] = self._models.all.index(model)
        if said is not None:
            found.code[places], found.subject[places] = said.code, said.subject
            found.points[places], found.count[places] = said.points, said.count

    def refer(self, places: Codes) -> None:
        """Refer what came without a history, as the service does without a store."""
        found = self._found
        found.outcome[places] = Outcome.REFER
        if self._reasons != "none":
            found.code[places, 0] = 0
            found.count[places] = 1

    def _decide_apart(self, places: Codes, rows: Values, model: BatchModel) -> None:
        """Decide one by one, so that rows beside one that fails get theirs."""
        if len(places) > 1:
            for row in range(len(places)):
                self.decide(places[row : row + 1], rows[row : row + 1], model)
        elif model is not self._models.champion:
            self.decide(places, rows, self._models.champion)
