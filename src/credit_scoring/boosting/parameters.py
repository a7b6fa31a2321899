"""Parameters of the boosting candidate: its search and its limits."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from credit_scoring.boosting.groups import MAX_DEPTH
from credit_scoring.cluster import ClusterParameters


class Hyperparameters(BaseModel):
    """XGBoost's settings that the search chooses, by XGBoost's own names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_depth: int = Field(ge=1, le=MAX_DEPTH)
    learning_rate: float = Field(gt=0, le=1)
    min_child_weight: float = Field(ge=0)
    subsample: float = Field(gt=0, le=1)
    colsample_bytree: float = Field(gt=0, le=1)
    reg_lambda: float = Field(ge=0)
    gamma: float = Field(ge=0)


class SearchRange(BaseModel):
    """Bounds of one hyper-parameter, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range starts above 0, not at {self.low}")
        return self


class SearchSpace(BaseModel):
    """Where the search may look; the depth in whole numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_depth: SearchRange
    learning_rate: SearchRange
    min_child_weight: SearchRange
    subsample: SearchRange
    colsample_bytree: SearchRange
    reg_lambda: SearchRange
    gamma: SearchRange


class ExternalMemoryParameters(BaseModel):
    """Where the rows are that are larger than memory.

    Attributes:
        input: Path or URL of a Parquet or CSV file of applications with outcomes, or
            of a folder of them.
        folder: Where the training rows and their bins are while trees are grown on
            them: about 10 bytes a row and feature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str = Field(min_length=1)
    folder: str = Field(min_length=1)


class BoostingParameters(BaseModel):
    """How the boosting candidate is searched and fitted.

    Attributes:
        family: Tells these parameters from those of other families.
        seed: Seed of the search and of the row and column sampling.
        n_trials: Budget of the search, the starting point included.
        max_rounds: Most trees a trial may grow.
        early_stopping_rounds: A trial stops when the validation log loss has not
            fallen for so many trees.
        max_bin: Bins a feature's values are put into before splits are looked for.
        nthread: Threads of XGBoost. The sums of another number of threads may
            differ in the last bit, and so may the trees.
        cluster: Workers of Dask that grow the trees; None for this process. Another
            number of workers gives other trees, as another seed does.
        external_memory: Files that are larger than memory. The search goes on as
            many of their rows as the catalog takes; the trees of the model are then
            grown on all of their training rows.
        starting_point: Hyper-parameters of the first trial.
        search_space: Where the other trials may look.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal["boosting"] = "boosting"
    seed: int = Field(ge=0)
    n_trials: int = Field(ge=1)
    max_rounds: int = Field(ge=1)
    early_stopping_rounds: int = Field(ge=1)
    max_bin: int = Field(ge=2)
    nthread: int = Field(ge=1)
    cluster: ClusterParameters | None = None
    external_memory: ExternalMemoryParameters | None = None
    starting_point: Hyperparameters
    search_space: SearchSpace

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.cluster is not None and self.external_memory is not None:
            raise ValueError("expected cluster or external_memory, not both")
        return self

    @model_validator(mode="after")
    def _starting_point_inside(self) -> Self:
        for name in SearchSpace.model_fields:
            bounds: SearchRange = getattr(self.search_space, name)
            value = getattr(self.starting_point, name)
            if not bounds.low <= value <= bounds.high:
                raise ValueError(
                    f"starting_point.{name} is {value}; expected it inside "
                    f"search_space: {bounds.low} to {bounds.high}"
                )
        return self
