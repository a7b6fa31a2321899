"""Decisions as Arrow tables: what is put out, and what the decision log takes."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from credit_scoring.batch.decided import Decided
from credit_scoring.batch.models import BatchModels
from credit_scoring.contract.model import Column, Contract
from credit_scoring.contract.rules import code_of_label
from credit_scoring.contract.tables import CheckedTable
from credit_scoring.decision.tabular import NOBODY
from credit_scoring.decision_log.blocks import INPUT_PREFIX

Codes = NDArray[np.int64]

OUTCOMES = ("approve", "refer", "decline")
ROLES = ("champion", "challenger")
SOURCES = ("request", "degraded")


def decision_table(
    ids: pa.Array,
    loan_ids: pa.Array,
    decided: Decided,
    models: BatchModels,
    scored_at: datetime,
) -> pa.Table:
    """Put decisions out as `/predict` says them, a column each.

    Args:
        ids: Identifiers of the decisions.
        loan_ids: Of the applications.
        decided: The decisions.
        models: Who decided.
        scored_at: Time of all of them.
    """
    n = len(ids)

    def of_role(names: Sequence[str]) -> pa.Array:
        return _words(decided.role, names)

    columns = {
        "decision_id": ids,
        "loan_id": loan_ids,
        "pd": _floats(decided.pd_),
        "score": _floats(decided.score),
        "band": _words(decided.band, decided.band_codes),
        "decision": _words(decided.outcome, OUTCOMES),
    }
    if decided.code.shape[1]:
        columns["reasons"] = reason_lists(decided, with_texts=True)
    every = models.all
    columns |= {
        "model_version": of_role([model.version for model in every]),
        "model_role": of_role([model.role for model in every]),
        "model_digest": of_role([model.digest for model in every]),
        "policy_version": of_role([m.engine.engine.policy_version for m in every]),
        "feature_source": _words(np.isnan(decided.pd_).astype(np.int64), SOURCES),
        "scored_at": pa.repeat(pa.scalar(scored_at, pa.timestamp("us", tz="UTC")), n),
    }
    return pa.table(columns)


def logged_table(  # noqa: PLR0913, PLR0917 - what a decision is made of
    ids: pa.Array,
    places: Codes,
    loan_ids: pa.Array,
    table: CheckedTable,
    decided: Decided,
    contract: Contract,
) -> pa.Table:
    """Put down what it takes to decide again, and what came of it.

    Args:
        ids: Identifiers of the decisions.
        places: Of the rows in their chunk.
        loan_ids: Of the applications.
        table: Has the inputs as they came.
        decided: The decisions.
        contract: What the inputs are.
    """
    columns = {
        "decision_id": ids,
        "loan_id": loan_ids,
        "arm": _words(decided.arm, ROLES),
        "role": _words(decided.role, ROLES),
        "margin": _floats(decided.margin),
        "pd": _floats(decided.pd_),
        "score": _floats(decided.score),
        "band": _words(decided.band, decided.band_codes),
        "decision": _words(decided.outcome, OUTCOMES),
    }
    if decided.code.shape[1]:
        columns["reasons"] = reason_lists(decided, with_texts=False)
    whole = len(places) == len(table)
    for name, numbers in table.numbers.items():
        given = numbers if whole else numbers[places]
        columns[INPUT_PREFIX + name] = _said(given, contract.columns[name])
    return pa.table(columns)


def _said(numbers: NDArray[np.float64], column: Column) -> pa.Array:
    """Say an input as a request would: a number, a label, or a date."""
    if column.type == "date":
        days = pa.array(numbers, from_pandas=True).cast(pa.int32())
        return days.cast(pa.date32())
    if column.type == "string":
        labels = code_of_label(column)
        known = np.array(list(labels.values()))
        places = np.searchsorted(known, numbers, sorter=np.argsort(known))
        codes = np.argsort(known)[np.minimum(places, len(known) - 1)]
        return _words(np.where(np.isnan(numbers), NOBODY, codes), list(labels))
    return _floats(numbers)


def reason_lists(decided: Decided, *, with_texts: bool) -> pa.Array:
    """Give each row's reasons as a list of structs, the strongest first."""
    used = np.arange(decided.code.shape[1]) < decided.count[:, None]
    vocabularies = decided.vocabularies
    sizes = [len(one.codes) for one in vocabularies]
    subjects = [len(one.subjects) for one in vocabularies]
    # Referred without a history: the last vocabulary.
    which = np.where(np.isnan(decided.pd_), len(vocabularies) - 1, decided.role)
    of_row = np.repeat(which, decided.count)
    codes = decided.code[used] + _starts(sizes)[of_row]
    about = decided.subject[used]
    about = np.where(about == NOBODY, NOBODY, about + _starts(subjects)[of_row])
    struct = {
        "code": _words(codes, [c for one in vocabularies for c in one.codes]),
        "feature": _words(about, [s for one in vocabularies for s in one.subjects]),
        "points": _floats(decided.points[used]),
    }
    if with_texts:
        texts = [text for one in vocabularies for text in one.texts]
        struct["text"] = _words(codes, texts)
    offsets = np.zeros(len(decided.count) + 1, np.int32)
    np.cumsum(decided.count, out=offsets[1:])
    values = pa.StructArray.from_arrays(list(struct.values()), list(struct))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _starts(sizes: Sequence[int]) -> Codes:
    return np.cumsum([0, *sizes[:-1]])


def _floats(values: NDArray[np.float64]) -> pa.Array:
    """NaN stands for what is not there."""
    return pa.array(values, from_pandas=True)


def _words(codes: Codes, words: Sequence[str]) -> pa.Array:
    """Say numbers by words; -1 says nothing."""
    distinct = list(dict.fromkeys(words))
    indices = codes.astype(np.int16)
    if len(distinct) < len(words):
        same = np.array([distinct.index(word) for word in words], np.int16)
        indices = np.where(indices == NOBODY, indices, same[indices])
    nothing = indices == NOBODY
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, mask=nothing if nothing.any() else None),
        pa.array(distinct, pa.string()),
    )
