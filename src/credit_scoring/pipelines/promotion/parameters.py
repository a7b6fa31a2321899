"""Parameters of the promotion pipeline."""

from pydantic import BaseModel, ConfigDict, Field

from credit_scoring.registry.gates import GateParameters


class PromotionParameters(BaseModel):
    """What a candidate must reach, and what its run says of the data.

    Attributes:
        data_source: Where the raw data comes from, as MLflow shows it.
        gates: Minimum, margin and bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_source: str = Field(min_length=1)
    gates: GateParameters
