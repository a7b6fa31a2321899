"""Nodes of the materialization pipeline."""

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from credit_scoring.contract.model import Contract, Role
from credit_scoring.decision.feature_sets import feature_set_of
from credit_scoring.feature_store.selection import (
    ApplicationBatches,
    SelectedHistories,
)
from credit_scoring.pipelines.feature_engineering.parameters import (
    FeatureEngineeringParameters,
)


class MaterializationParameters(BaseModel):
    """Which histories are written.

    Attributes:
        as_of: Time that they are of, with its zone; None is the time of the run.
            A history in the store that was written later is left as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: AwareDatetime | None = None


def select_histories(
    applications: ApplicationBatches,
    contract: Contract,
    feature_engineering: FeatureEngineeringParameters,
    parameters: MaterializationParameters,
) -> SelectedHistories:
    """Select what the store takes of the accepted rows: loan id and history.

    Args:
        applications: Typed rows, contract names.
        contract: The contract that the rows fulfil.
        feature_engineering: Names the feature set, whose version is part of
            every key.
        parameters: Time that the histories are of.
    """
    features = feature_set_of(feature_engineering.feature_set, contract)
    return SelectedHistories(
        contract=contract,
        feature_version=features.version(contract.digest),
        as_of=parameters.as_of,
        applications=applications,
    )


def summarise_materialization(
    stored_histories: Mapping[str, Any], contract: Contract
) -> dict[str, Any]:
    """Report what the store holds now, and under which contract.

    Args:
        stored_histories: What the store says of the last materialization.
        contract: The contract that the rows fulfil.
    """
    return {
        "contract": contract.name,
        "contract_digest": contract.digest,
        "columns": list(contract.names(Role.HISTORY)),
        **stored_histories,
    }
