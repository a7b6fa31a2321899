"""Nodes of the validation pipeline."""

import logging
from typing import Any, TypedDict

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import SOURCE_ROW
from credit_scoring.contract.rows import CheckedRows, check_rows
from credit_scoring.errors import ContractError

logger = logging.getLogger(__name__)

_SHOWN = 8


class ValidationParameters(BaseModel):
    """When the accepted rows are enough to go on.

    Attributes:
        maximum_rejected_share: Largest share of rejected rows, 0 to 1.
        minimum_rows: Fewest accepted rows.
        minimum_rows_of_each_class: Fewest accepted bad rows, and good rows.
        rejected_file: Where the catalog puts the rejected rows as CSV, so that
            messages can say it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximum_rejected_share: float = Field(ge=0, le=1)
    minimum_rows: int = Field(ge=1)
    minimum_rows_of_each_class: int = Field(ge=1)
    rejected_file: str


class Separated(TypedDict):
    """What the separation of rejected rows gives."""

    accepted: pd.DataFrame
    rejected: pd.DataFrame
    rejected_text: pd.DataFrame
    set_aside: pd.DataFrame
    summary: dict[str, Any]


def separate_rejected_rows(
    ingested_applications: pd.DataFrame,
    ingestion_summary: dict[str, Any],
    contract: Contract,
    parameters: ValidationParameters,
) -> Separated:
    """Type the rows that keep the contract, and say of the others why not.

    Args:
        ingested_applications: Text cells under the contract's names, with
            ``source_row``.
        ingestion_summary: Holds the digest of the raw file, and its number of rows.
        contract: What the cells must be.
        parameters: Limits, noted in the summary.

    Returns:
        Accepted rows; rejected cells, twice the same frame for two file forms;
        rows that the contract sets aside; and counts of all.

    Raises:
        ContractError: If the frame lacks a column of the contract.
    """
    checked = check_rows(ingested_applications, contract)
    rows = len(ingested_applications)
    summary = _summary(checked, contract, rows=rows)
    summary["data_digest"] = ingestion_summary["data_digest"]
    summary["rows_in_files"] = ingestion_summary["rows_in_files"]
    summary["maximum_rejected_share"] = parameters.maximum_rejected_share
    if summary["set_aside_rows"]:
        logger.info("%d of %d rows set aside", summary["set_aside_rows"], rows)
    if summary["rejected_rows"]:
        logger.warning(
            "%d of %d rows rejected; each is listed with its reasons in %s",
            summary["rejected_rows"],
            rows,
            parameters.rejected_file,
        )
    return {
        "accepted": checked.accepted,
        "rejected": checked.rejected,
        "rejected_text": checked.rejected,
        "set_aside": checked.set_aside,
        "summary": summary,
    }


def require_acceptance(
    accepted_applications: pd.DataFrame,
    validation_summary: dict[str, Any],
    contract: Contract,
    parameters: ValidationParameters,
) -> pd.DataFrame:
    """Pass the accepted rows on, if they are enough to make a model of.

    Args:
        accepted_applications: Rows that keep the contract, typed.
        validation_summary: Counts of accepted and rejected rows.
        contract: From which the schema is generated that the rows must fit.
        parameters: Limits.

    Returns:
        The accepted rows.

    Raises:
        ContractError: If too large a share was rejected, too few rows are left,
            a class is missing or too small, or the rows do not fit the schema.
            The message gives the counts by column and reason.
    """
    from credit_scoring.contract.schemas import applications_schema, check_schema

    problem = _shortage(validation_summary, parameters)
    if problem is not None:
        raise ContractError(
            f"ingested_applications: {problem}. "
            f"{_reasons(validation_summary)}Every rejected row stands with its reasons "
            f"in {parameters.rejected_file} (dataset rejected_applications): correct "
            "the data or the contract and run from the start, or change the limits "
            "under validation in parameters_validation.yml"
        )
    check_schema(accepted_applications, applications_schema(contract))
    return accepted_applications


def _shortage(summary: dict[str, Any], parameters: ValidationParameters) -> str | None:
    rows, rejected = summary["rows"], summary["rejected_rows"]
    accepted, classes = summary["accepted_rows"], summary["rows_by_class"]
    if summary["rejected_share"] > parameters.maximum_rejected_share:
        return (
            f"{rejected} of {rows} rows ({summary['rejected_share']:.2%}) break the "
            f"contract; at most {parameters.maximum_rejected_share:.2%} may"
        )
    if accepted < parameters.minimum_rows:
        least = parameters.minimum_rows
        return f"{accepted} of {rows} rows are accepted; at least {least} are needed"
    for label, name in (("1", "bad"), ("0", "good")):
        least = parameters.minimum_rows_of_each_class
        if classes[label] < least:
            return (
                f"{classes[label]} of {accepted} accepted rows are {name}; at least "
                f"{least} are needed"
            )
    return None


def _reasons(summary: dict[str, Any]) -> str:
    counted = summary["rejected_cells_by_reason"]
    if not counted:
        return ""
    lines = [f"{c['column']} {c['reason']}: {c['cells']}" for c in counted[:_SHOWN]]
    more = f"; and {len(counted) - _SHOWN} more reasons" if counted[_SHOWN:] else ""
    return f"Rejected cells: {'; '.join(lines)}{more}. "


def _summary(checked: CheckedRows, contract: Contract, *, rows: int) -> dict[str, Any]:
    accepted, rejected = checked.accepted, checked.rejected
    target = accepted[contract.target_name]
    rejected_rows = int(rejected[SOURCE_ROW].nunique())
    missing = accepted.isna().sum()
    return {
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "digest": contract.digest,
        },
        "rows": rows,
        "accepted_rows": len(accepted),
        "rejected_rows": rejected_rows,
        "rejected_share": rejected_rows / rows if rows else 0.0,
        "rejected_cells": len(rejected),
        "rejected_cells_by_reason": _by_reason(rejected, "cells"),
        "set_aside_rows": len(checked.set_aside),
        "set_aside_rows_by_reason": _by_reason(checked.set_aside, "rows"),
        "rows_by_class": {str(c): int((target == c).sum()) for c in (0, 1)},
        "bad_rate": float(target.mean()) if len(accepted) else None,
        "missing_cells": {str(n): int(k) for n, k in missing.items() if k},
        "recoded_cells": checked.recoded,
    }


def _by_reason(listed: pd.DataFrame, counted: str) -> list[dict[str, Any]]:
    counts = listed.value_counts(["column", "reason"], sort=False).reset_index()
    counts = counts.sort_values(
        ["count", "column", "reason"], ascending=[False, True, True]
    )
    return [
        {"column": column, "reason": reason, counted: int(count)}
        for column, reason, count in counts.itertuples(index=False)
    ]
