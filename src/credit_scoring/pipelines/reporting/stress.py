"""Sensitivity and stress: what happens to decisions when inputs change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_scoring.contract.model import Column, Contract
from credit_scoring.decision.decisions import Decisions, Outcome
from credit_scoring.pipelines.reporting.parameters import (
    Move,
    ReportingParameters,
    Stress,
)
from credit_scoring.registry.artifact import Artifact

Values = NDArray[np.float64]
Line = dict[str, Any]

UNCHANGED = "unchanged"
STRESS, SENSITIVITY = "stress", "sensitivity"


def stress_lines(
    artifact: Artifact,
    columns: Mapping[str, Values],
    contract: Contract,
    reporting: ReportingParameters,
    *,
    order: Sequence[str],
) -> list[Line]:
    """Decide on the same applications again, with their inputs changed.

    Args:
        artifact: Decides.
        columns: Contract columns of the applications.
        contract: Ranges and categories that changed values are held within.
        reporting: The stresses, and by how much a number is raised.
        order: Columns to raise one by one, the most telling first.

    Returns:
        ``kind``, ``name``, ``text``, ``mean_pd``, shares of the decisions, and
        ``changed``: share of the applications with another decision. The first
        line is of unchanged inputs. A stress on columns that the contract lacks is
        left out.
    """
    before = artifact.engine.decide_unexplained(columns)
    lines = [_line(UNCHANGED, UNCHANGED, "As they are.", before, before)]
    for name, kind, stress in _changes(contract, reporting, order):
        changed = dict(columns)
        for move in stress.moves:
            for column in move.columns:
                changed[column] = moved(columns[column], move, contract.columns[column])
        after = artifact.engine.decide_unexplained(changed)
        lines.append(_line(kind, name, stress.text, after, before))
    return lines


def _changes(
    contract: Contract, reporting: ReportingParameters, order: Sequence[str]
) -> Iterator[tuple[str, str, Stress]]:
    known = set(contract.input_names)
    for name, stress in reporting.stresses.items():
        if stress and all(known.issuperset(move.columns) for move in stress.moves):
            yield name, STRESS, stress
    for column in order[: reporting.segment_columns]:
        if not contract.columns[column].categories:
            share = reporting.sensitivity
            text = f"{column} is {share:.0%} higher."
            move = Move(columns=(column,), factor=1 + share)
            yield column, SENSITIVITY, Stress(text=text, moves=(move,))


def moved(values: Values, move: Move, column: Column) -> Values:
    """Change values, and hold them within what the contract allows.

    Args:
        values: Shape (n,); NaN stays missing.
        move: How they change.
        column: Range or categories, both ends included.

    Returns:
        Shape (n,). What the contract does not allow becomes the nearest end.
    """
    changed = move.factor * values + move.add
    if move.from_value is not None:
        changed = np.where(values >= move.from_value, changed, values)
    low, high = column.minimum, column.maximum
    if column.categories:
        codes = [float(code) for code in column.categories]
        low, high = min(codes), max(codes)
    # What was outside before, by a recode, is not pulled in.
    low = -np.inf if low is None else min(low, float(np.nanmin(values)))
    high = np.inf if high is None else max(high, float(np.nanmax(values)))
    held: Values = np.clip(changed, low, high)
    return held


def _line(kind: str, name: str, text: str, found: Decisions, before: Decisions) -> Line:
    shares = {
        f"{outcome.label}_rate": float((found.outcome == outcome).mean())
        for outcome in Outcome
    }
    return {
        "kind": kind,
        "name": name,
        "text": text,
        "mean_pd": float(found.pd_.mean()),
        "mean_score": float(found.score.mean()),
        **shares,
        "changed": float((found.outcome != before.outcome).mean()),
    }
