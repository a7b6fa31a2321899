"""Nodes of the ingestion pipeline."""

import logging
from typing import Literal, TypedDict

import pandas as pd
from pydantic import BaseModel, ConfigDict

from credit_scoring.contract.model import Contract
from credit_scoring.contract.reading import ROWS_IN_FILES, SHA256, select_columns
from credit_scoring.errors import ContractError

logger = logging.getLogger(__name__)

_SHOWN = 8


class IngestionParameters(BaseModel):
    """How the raw file is taken in.

    Attributes:
        additional_columns: What happens when the file has columns that the
            contract does not name, not even as left out: they are left out and
            named in the summary, or the run stops.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    additional_columns: Literal["ignore", "refuse"] = "ignore"


class Ingested(TypedDict):
    """What ingestion gives."""

    applications: pd.DataFrame
    summary: dict[str, object]


def ingest_applications(
    raw_applications: pd.DataFrame, contract: Contract, parameters: IngestionParameters
) -> Ingested:
    """Take the contract's columns from the raw file, under the contract's names.

    Args:
        raw_applications: Every cell a string, with the file's digest in
            ``attrs["sha256"]``, as `ApplicationsFileDataset` reads it. Of a sample of
            larger files ``attrs["rows_in_files"]`` says of how many rows.
        contract: Names the columns and their sources.
        parameters: How additional columns are treated.

    Returns:
        The applications as text with ``source_row`` first, and a summary with
        the file's digest, the number of rows, here and in the files that these are a
        sample of, and the columns left out.

    Raises:
        ContractError: If columns are missing or stand twice, if there are
            additional ones and they are refused, or the digest is unknown.
    """
    name = "raw_applications"
    digest = raw_applications.attrs.get(SHA256)
    if not isinstance(digest, str):
        raise ContractError(
            f"{name}: the file's SHA-256 is unknown; read it through "
            "credit_scoring.datasets.applications.ApplicationsFileDataset"
        )
    applications, ignored = select_columns(raw_applications, contract, name=name)
    explained = {*contract.left_out, *contract.known_after_decision}
    unexplained = tuple(column for column in ignored if column not in explained)
    if unexplained:
        _report_ignored(unexplained, parameters)
    summary: dict[str, object] = {
        "data_digest": digest,
        "rows": len(applications),
        "rows_in_files": raw_applications.attrs.get(ROWS_IN_FILES, len(applications)),
        "ignored_columns": list(ignored),
        "contract": {
            "name": contract.name,
            "version": contract.version,
            "digest": contract.digest,
        },
    }
    return {"applications": applications, "summary": summary}


def _report_ignored(ignored: tuple[str, ...], parameters: IngestionParameters) -> None:
    shown = ", ".join(f"{column:.64}" for column in ignored[:_SHOWN])
    more = f" and {len(ignored) - _SHOWN} more" if len(ignored) > _SHOWN else ""
    if parameters.additional_columns == "refuse":
        raise ContractError(
            f"raw_applications: {len(ignored)} column(s) that the contract does not "
            f"name: {shown}{more}; remove them, name them in the contract, or set "
            "ingestion.additional_columns to ignore"
        )
    logger.warning(
        "raw_applications: %d column(s) are not in the contract and are left out: %s",
        len(ignored),
        shown + more,
    )
